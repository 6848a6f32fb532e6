{#- A user has one value in each dimension, so each adds up to `all`. -#}

with

growth as (select * from {{ ref('fct_growth_accounting') }}),

totals as (
    select
        dimension,
        period_grain,
        period_start_date,
        sum(active_users) as active_users,
        sum(new_users) as new_users,
        sum(resurrected_users) as resurrected_users,
        sum(churned_users) as churned_users,
        sum(dormant_users) as dormant_users
    from growth
    group by dimension, period_grain, period_start_date
),

final as (
    select
        totals.*,
        everybody.active_users as all_active_users
    from totals
    inner join totals as everybody
        on
            totals.period_grain = everybody.period_grain
            and totals.period_start_date = everybody.period_start_date
            and everybody.dimension = 'all'
    where
        totals.active_users <> everybody.active_users
        or totals.new_users <> everybody.new_users
        or totals.resurrected_users is distinct from everybody.resurrected_users
        or totals.churned_users is distinct from everybody.churned_users
        or totals.dormant_users is distinct from everybody.dormant_users
)

select * from final
