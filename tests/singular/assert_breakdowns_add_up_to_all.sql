{#- A new user has one value in each dimension, so each adds up to `all`. -#}

with

summary as (select * from {{ ref('fct_retention_summary') }}),

totals as (
    select
        dimension,
        day_number,
        sum(cohort_size) as cohort_size,
        sum(eligible_users) as eligible_users,
        sum(retained_users) as retained_users
    from summary
    group by dimension, day_number
),

final as (
    select
        totals.*,
        everybody.cohort_size as all_cohort_size,
        everybody.eligible_users as all_eligible_users,
        everybody.retained_users as all_retained_users
    from totals
    inner join totals as everybody
        on
            totals.day_number = everybody.day_number
            and everybody.dimension = 'all'
    where
        totals.cohort_size <> everybody.cohort_size
        or totals.eligible_users <> everybody.eligible_users
        or totals.retained_users <> everybody.retained_users
)

select * from final
