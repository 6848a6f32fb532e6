{#-
    Grain: one row per canonical event, with everything known about it.

    A play's seconds stand at the event that opens it; the other events have
    none. An event that does nothing to a title may be about none.
-#}

with

events as (select * from {{ ref('int_events_sessionized') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

users as (select * from {{ ref('int_users_started') }}),

titles as (select * from {{ ref('dim_content') }}),

final as (
    select
        -- keys
        events.event_id,
        events.session_id,
        events.play_id,
        events.user_id,
        events.content_id,

        -- attributes
        events.event_type,
        events.playback_effect,
        events.device_type,
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
    inner join users
        on events.user_id = users.user_id
    left join titles
        on events.content_id = titles.content_id
    left join plays
        on events.event_id = plays.play_id
)

select * from final
