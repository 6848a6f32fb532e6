{#-
    Grain: one row per user and calendar day with at least one event.

    A day is active when it holds an event of an active type: a play, also one
    that resumes, unless `event_types.csv` says otherwise. A play with all its
    time, and a session, belong to the day on which they began.
-#}

with

events as (select * from {{ ref('int_events_bounded') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

users as (select * from {{ ref('int_users_started') }}),

days as (
    select
        user_key,
        event_date as activity_date,
        count(*) as event_count,
        count(*) filter (where is_active) > 0 as is_active,
        count(*) filter (where event_number = play_number) as play_count,
        count(*) filter (where is_session_start) as session_count
    from events
    group by user_key, event_date
),

play_days as (
    select
        user_key,
        play_date,
        count(*) filter (where is_valid_play) as valid_play_count,
        sum(watched_seconds) as watched_seconds,
        sum(net_watched_seconds) as net_watched_seconds
    from plays
    group by user_key, play_date
),

final as (
    select
        -- keys
        users.user_id,

        -- attributes
        users.platform,
        users.country_code,
        users.is_new,
        days.is_active,

        -- measures
        {{ days_between('users.cohort_date', 'days.activity_date') }}
            as day_number,
        cast(days.event_count as integer) as event_count,
        cast(days.play_count as integer) as play_count,
        cast(coalesce(play_days.valid_play_count, 0) as integer)
            as valid_play_count,
        cast(days.session_count as integer) as session_count,
        cast(coalesce(play_days.watched_seconds, 0) as bigint)
            as watched_seconds,
        cast(coalesce(play_days.net_watched_seconds, 0) as bigint)
            as net_watched_seconds,

        -- times
        days.activity_date
    from days
    inner join users
        on days.user_key = users.user_key
    left join play_days
        on
            days.user_key = play_days.user_key
            and days.activity_date = play_days.play_date
)

select * from final
