{#-
    Two roads to the same count: user by user, and cell by cell. Daily cohorts
    agree one by one and, summed up, with the pooled rate of everybody.
-#}

with

summary as (select * from {{ ref('fct_retention_summary') }}),

triangle as (select * from {{ ref('fct_retention_triangle') }}),

cells as (
    select
        'cohort' as dimension,
        cast(cohort_date as {{ data_type('varchar') }}) as dimension_value,
        period_number as day_number,
        eligible_users,
        retained_users
    from triangle
    where cohort_grain = 'day'
    union all
    select
        'all' as dimension,
        'all' as dimension_value,
        period_number as day_number,
        sum(eligible_users) as eligible_users,
        sum(retained_users) as retained_users
    from triangle
    where cohort_grain = 'day'
    group by period_number
),

final as (
    select
        cells.*,
        summary.eligible_users as summary_eligible_users,
        summary.retained_users as summary_retained_users
    from cells
    inner join summary
        on
            cells.dimension = summary.dimension
            and cells.dimension_value = summary.dimension_value
            and cells.day_number = summary.from_day_number
    where
        summary.retention_type = 'on_day'
        and summary.day_mode = 'calendar'
        and (
            cells.eligible_users <> summary.eligible_users
            or cells.retained_users <> summary.retained_users
        )
)

select * from final
