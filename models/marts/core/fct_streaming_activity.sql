{{ config(materialized='view') }}

{#-
    Grain: one row per canonical event, with everything known about it.

    A play's seconds stand at the event that opens it; the other events have
    none. An event that does nothing to a title may be about none.
-#}

with

events as (select * from {{ ref('int_events_bounded') }}),

classified as (select * from {{ ref('int_events_classified') }}),

openings as (select * from {{ ref('int_events_classified') }}),

runs as (select * from {{ ref('int_events_classified') }}),

types as (select * from {{ ref('int_event_types_keyed') }}),

names as (select * from {{ ref('int_names_keyed') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

users as (select * from {{ ref('int_users_started') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

final as (
    select
        -- keys
        classified.event_id,
        {{ session_id('runs.event_id', 'events.piece_number') }} as session_id,
        openings.event_id as play_id,
        users.user_id,
        titles.content_id,

        -- attributes
        types.event_type,
        events.playback_effect,
        names.name as device_type,
        users.platform,
        users.country_code,
        users.acquisition_channel,
        users.is_new,
        events.is_active,
        titles.title,
        titles.genre_names,
        titles.language_code,
        coalesce(plays.is_valid_play, false) as is_valid_play,
        events.is_session_start,

        -- measures
        {{ days_between('users.cohort_date', 'events.event_date') }}
            as day_number,
        plays.watched_seconds,

        -- times
        events.event_date,
        events.event_at
    from events
    inner join classified
        on
            events.user_key = classified.user_key
            and events.event_number = classified.event_number
    inner join runs
        on
            events.user_key = runs.user_key
            and events.run_start_number = runs.event_number
    left join openings
        on
            events.user_key = openings.user_key
            and events.play_number = openings.event_number
    inner join types
        on classified.event_type_key = types.event_type_key
    inner join names
        on events.device_key = names.name_key
    inner join users
        on events.user_key = users.user_key
    left join titles
        on events.content_key = titles.content_key
    left join plays
        on
            events.user_key = plays.user_key
            and events.event_number = plays.play_number
)

select * from final
