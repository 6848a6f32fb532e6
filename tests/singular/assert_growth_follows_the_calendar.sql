{#-
    The identity of growth accounting, against the row of the period that ends
    on the day before, whatever row is stored before it: no period is missing,
    and the one before has the active users that the next one starts from.
-#}

with

growth as (select * from {{ ref('fct_growth_accounting') }}),

final as (
    select
        growth.dimension,
        growth.dimension_value,
        growth.period_grain,
        growth.period_start_date,
        growth.active_users,
        growth.new_users,
        growth.resurrected_users,
        growth.churned_users,
        earlier.active_users as earlier_active_users
    from growth
    left join growth as earlier
        on
            growth.dimension = earlier.dimension
            and growth.dimension_value = earlier.dimension_value
            and growth.period_grain = earlier.period_grain
            and growth.period_start_date
            = {{ add_days('earlier.period_end_date', 1) }}
    where
        not growth.is_first_period
        and growth.active_users is distinct from
        earlier.active_users + growth.new_users + growth.resurrected_users
        - growth.churned_users
)

select * from final
