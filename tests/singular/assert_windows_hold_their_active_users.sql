{#-
    Two roads to the same count: by arrivals and departures, day by day, and by
    whoever was active in the window.
-#}

with

active_users as (select * from {{ ref('fct_active_users') }}),

frequency as (select * from {{ ref('fct_activity_frequency') }}),

final as (
    select
        frequency.window_days,
        frequency.window_end_date,
        frequency.window_user_count,
        active_users.weekly_active_users,
        active_users.monthly_active_users
    from frequency
    left join active_users
        on
            frequency.window_end_date = active_users.calendar_date
            and active_users.dimension = 'all'
    where
        (
            frequency.window_days = 7
            and frequency.window_user_count
            is distinct from active_users.weekly_active_users
        )
        or (
            frequency.window_days = {{ var('active_window_days') }}
            and frequency.window_user_count
            is distinct from active_users.monthly_active_users
        )
)

select * from final
