{#- A new user is in one cohort of each grain. -#}

with

triangle as (select * from {{ ref('fct_retention_triangle') }}),

totals as (
    select
        cohort_grain,
        sum(cohort_size) as cohort_size
    from triangle
    where period_number = 0
    group by cohort_grain
),

final as (
    select
        totals.cohort_grain,
        totals.cohort_size,
        by_day.cohort_size as cohort_size_by_day
    from totals
    inner join totals as by_day
        on by_day.cohort_grain = 'day'
    where totals.cohort_size <> by_day.cohort_size
)

select * from final
