{{ config(materialized='view') }}

{#-
    Grain: one row per play: one attempt at a title, with its pauses.

    A play has the id of the event that opens it.
-#}

with

plays as (select * from {{ ref('int_plays_measured') }}),

openings as (select * from {{ ref('int_events_classified') }}),

runs as (select * from {{ ref('int_events_classified') }}),

names as (select * from {{ ref('int_names_keyed') }}),

users as (select * from {{ ref('int_users_started') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

final as (
    select
        -- keys
        openings.event_id as play_id,
        {{ session_id('runs.event_id', 'plays.piece_number') }} as session_id,
        users.user_id,
        titles.content_id,

        -- attributes
        users.platform,
        users.country_code,
        names.name as device_type,
        plays.close_reason_code,
        users.is_new,
        plays.is_valid_play,
        plays.is_completed,
        plays.is_skipped,

        -- measures
        {{ days_between('users.cohort_date', 'plays.play_date') }}
            as day_number,
        plays.pause_count,
        plays.watched_seconds,
        plays.net_watched_seconds,
        cast(floor(plays.seen_seconds) as bigint) as unique_seconds,
        case
            when titles.duration_seconds > 0
                then least(plays.seen_seconds / titles.duration_seconds, 1)
        end as completion_rate,

        -- times
        plays.play_date,
        plays.started_at,
        {{ add_seconds('plays.started_at', 'plays.elapsed_seconds') }}
            as ended_at
    from plays
    inner join openings
        on
            plays.user_key = openings.user_key
            and plays.play_number = openings.event_number
    inner join runs
        on
            plays.user_key = runs.user_key
            and plays.run_start_number = runs.event_number
    inner join users
        on plays.user_key = users.user_key
    inner join titles
        on plays.content_key = titles.content_key
    inner join names
        on plays.device_key = names.name_key
)

select * from final
