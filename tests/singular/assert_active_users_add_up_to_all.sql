{#- A user has one value in each dimension, so each adds up to `all`. -#}

with

active_users as (select * from {{ ref('fct_active_users') }}),

totals as (
    select
        dimension,
        calendar_date,
        sum(daily_active_users) as daily_active_users,
        sum(weekly_active_users) as weekly_active_users,
        sum(monthly_active_users) as monthly_active_users
    from active_users
    group by dimension, calendar_date
),

final as (
    select
        totals.*,
        everybody.daily_active_users as all_daily_active_users,
        everybody.weekly_active_users as all_weekly_active_users,
        everybody.monthly_active_users as all_monthly_active_users
    from totals
    inner join totals as everybody
        on
            totals.calendar_date = everybody.calendar_date
            and everybody.dimension = 'all'
    where
        totals.daily_active_users <> everybody.daily_active_users
        or totals.weekly_active_users
        is distinct from everybody.weekly_active_users
        or totals.monthly_active_users
        is distinct from everybody.monthly_active_users
)

select * from final
