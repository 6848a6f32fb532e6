{#-
    Grain: one row per user and calendar day with at least one event.

    A day is active when it holds a play. A session belongs to the day on which
    it began.
-#}

with

events as (select * from {{ ref('int_events_measured') }}),

users as (select * from {{ ref('int_users_started') }}),

days as (
    select
        user_id,
        event_date as activity_date,
        count(*) as event_count,
        count(*) filter (where event_type = 'play') as play_count,
        count(*) filter (where is_valid_play) as valid_play_count,
        count(*) filter (where is_session_start) as session_count,
        coalesce(sum(watched_seconds), 0) as watched_seconds
    from events
    group by user_id, event_date
),

final as (
    select
        -- keys
        days.user_id,

        -- attributes
        users.platform,
        users.country_code,
        users.is_new,
        days.play_count > 0 as is_active,

        -- measures
        {{ days_between('users.cohort_date', 'days.activity_date') }}
            as day_number,
        cast(days.event_count as integer) as event_count,
        cast(days.play_count as integer) as play_count,
        cast(days.valid_play_count as integer) as valid_play_count,
        cast(days.session_count as integer) as session_count,
        cast(days.watched_seconds as bigint) as watched_seconds,

        -- times
        days.activity_date
    from days
    inner join users
        on days.user_id = users.user_id
)

select * from final
