{#- Two roads to the same count: user by user, and cell by cell. -#}

with

summary as (select * from {{ ref('fct_retention_summary') }}),

triangle as (select * from {{ ref('fct_retention_triangle') }}),

final as (
    select
        triangle.cohort_date,
        triangle.day_number,
        triangle.eligible_users,
        triangle.retained_users,
        summary.eligible_users as summary_eligible_users,
        summary.retained_users as summary_retained_users
    from triangle
    inner join summary
        on
            summary.dimension = 'cohort'
            and cast(triangle.cohort_date as varchar) = summary.dimension_value
            and triangle.day_number = summary.day_number
    where
        triangle.eligible_users <> summary.eligible_users
        or triangle.retained_users <> summary.retained_users
)

select * from final
