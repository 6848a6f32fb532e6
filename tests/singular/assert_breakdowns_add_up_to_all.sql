{#- A new user has one value in each dimension, so each adds up to `all`. -#}

with

summary as (select * from {{ ref('fct_retention_summary') }}),

totals as (
    select
        dimension,
        retention_type,
        day_mode,
        from_day_number,
        to_day_number,
        sum(cohort_size) as cohort_size,
        sum(eligible_users) as eligible_users,
        sum(retained_users) as retained_users
    from summary
    group by
        dimension,
        retention_type,
        day_mode,
        from_day_number,
        to_day_number
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
            totals.retention_type = everybody.retention_type
            and totals.day_mode = everybody.day_mode
            and totals.from_day_number = everybody.from_day_number
            and totals.to_day_number = everybody.to_day_number
            and everybody.dimension = 'all'
    where
        totals.cohort_size <> everybody.cohort_size
        or totals.eligible_users <> everybody.eligible_users
        or totals.retained_users <> everybody.retained_users
)

select * from final
