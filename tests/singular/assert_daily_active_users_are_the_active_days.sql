{#- Every active day of a user counts once, and nothing else does. -#}

with

active_users as (select * from {{ ref('fct_active_users') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

counted as (
    select sum(daily_active_users) as user_day_count
    from active_users
    where dimension = 'all'
),

final as (
    select
        counted.user_day_count,
        count(user_days.user_id) as active_day_count
    from counted
    left join user_days
        on user_days.is_active
    group by counted.user_day_count
    having coalesce(counted.user_day_count, 0) <> count(user_days.user_id)
)

select * from final
