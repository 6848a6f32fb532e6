{#-
    Active, churned and dormant users of a period are together all users who
    have been active in the log by its end.
-#}

with

growth as (select * from {{ ref('fct_growth_accounting') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

first_days as (
    select
        user_id,
        min(activity_date) as activity_date
    from user_days
    where is_active
    group by user_id
),

final as (
    select
        growth.period_grain,
        growth.period_end_date,
        growth.active_users + growth.churned_users + growth.dormant_users
            as accounted_users,
        count(first_days.user_id) as seen_users
    from growth
    left join first_days
        on growth.period_end_date >= first_days.activity_date
    where
        growth.dimension = 'all'
        and not growth.is_first_period
    group by
        growth.period_grain,
        growth.period_end_date,
        growth.active_users,
        growth.churned_users,
        growth.dormant_users
    having
        growth.active_users + growth.churned_users + growth.dormant_users
        <> count(first_days.user_id)
)

select * from final
