{#-
    Grain: one row per new user, day mode and retention window.

    A window is a run of day numbers since first activity, ends included: one
    day, a bracket of days, or a day and all after it up to a fixed last one,
    without which the answer would hang on how long each user was watched. A
    user is eligible once the whole window has passed, and retained when active
    on any day in it.

    Day numbers count calendar days, or elapsed days of 24 hours from the very
    first activity: elapsed day 1 begins 24 h 00 s after it.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

events as (select * from {{ ref('int_events_bounded') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

windows as (
    {{ retention_windows() }}
),

new_users as (
    select
        user_id,
        user_key,
        cohort_date,
        first_active_at
    from users
    where is_new
),

activities as (
    select
        new_users.user_id,
        {{ seconds_between('new_users.first_active_at', 'events.event_at') }}
            as elapsed_seconds
    from events
    inner join new_users
        on events.user_key = new_users.user_key
    where events.is_active
),

elapsed_days as (
    select
        user_id,
        cast(floor(elapsed_seconds / 86400) as integer) as day_number
    from activities
    group by user_id, cast(floor(elapsed_seconds / 86400) as integer)
),

active_days as (
    select
        user_id,
        'calendar' as day_mode,
        day_number
    from user_days
    where
        is_new
        and is_active
    union all
    select
        user_id,
        'elapsed' as day_mode,
        day_number
    from elapsed_days
),

returns as (
    select
        active_days.user_id,
        active_days.day_mode,
        windows.retention_type,
        windows.from_day_number,
        windows.to_day_number
    from active_days
    inner join windows
        on
            active_days.day_number >= windows.from_day_number
            and active_days.day_number <= windows.to_day_number
    group by
        active_days.user_id,
        active_days.day_mode,
        windows.retention_type,
        windows.from_day_number,
        windows.to_day_number
),

passings as (
    select
        new_users.*,
        windows.*,
        {{ add_hours(
            'new_users.first_active_at', '24 * (windows.to_day_number + 1)'
        ) }} as passed_at
    from new_users
    cross join windows
),

due as (
    select
        user_id,
        cohort_date,
        'calendar' as day_mode,
        retention_type,
        from_day_number,
        to_day_number,
        {{ add_days('cohort_date', 'to_day_number') }} as due_date
    from passings
    union all
    select
        user_id,
        cohort_date,
        'elapsed' as day_mode,
        retention_type,
        from_day_number,
        to_day_number,
        -- What passes at midnight has passed with the day before.
        case
            when {{ local_midnight(local_date('passed_at')) }} = passed_at
                then {{ add_days(local_date('passed_at'), -1) }}
            else {{ local_date('passed_at') }}
        end as due_date
    from passings
),

final as (
    select
        -- keys
        due.user_id,

        -- attributes
        due.retention_type,
        due.day_mode,
        due.due_date <= bounds.watermark_date as is_eligible,
        (
            due.due_date <= bounds.watermark_date
            and returns.user_id is not null
        ) as is_retained,

        -- measures
        due.from_day_number,
        due.to_day_number,

        -- times
        due.cohort_date,
        due.due_date
    from due
    cross join bounds
    left join returns
        on
            due.user_id = returns.user_id
            and due.day_mode = returns.day_mode
            and due.retention_type = returns.retention_type
            and due.from_day_number = returns.from_day_number
            and due.to_day_number = returns.to_day_number
)

select * from final
