{#-
    A day of the eligible curve is a row of the summary, with its intervals; on
    the last day of the fixed set both curves rest on the same users.
-#}

with

curve as (select * from {{ ref('fct_retention_curve') }}),

summary as (select * from {{ ref('fct_retention_summary') }}),

expected as (
    select
        dimension,
        dimension_value,
        'eligible' as cohort_set,
        from_day_number as day_number,
        eligible_users,
        retained_users,
        ci_low,
        ci_high,
        cohort_ci_low,
        cohort_ci_high
    from summary
    where
        retention_type = 'on_day'
        and day_mode = 'calendar'
        and dimension <> 'cohort'
        and eligible_users > 0
        and from_day_number <= {{ var('retention_horizon_days') }}
    union all
    select
        dimension,
        dimension_value,
        'fixed' as cohort_set,
        day_number,
        eligible_users,
        retained_users,
        ci_low,
        ci_high,
        cohort_ci_low,
        cohort_ci_high
    from curve
    where
        cohort_set = 'eligible'
        and day_number = {{ var('retention_fixed_days') }}
),

final as (
    select
        expected.*,
        curve.eligible_users as curve_eligible_users,
        curve.retained_users as curve_retained_users
    from expected
    left join curve
        on
            expected.dimension = curve.dimension
            and expected.dimension_value = curve.dimension_value
            and expected.cohort_set = curve.cohort_set
            and expected.day_number = curve.day_number
    where
        expected.eligible_users is distinct from curve.eligible_users
        or expected.retained_users is distinct from curve.retained_users
        or expected.ci_low is distinct from curve.ci_low
        or expected.ci_high is distinct from curve.ci_high
        or expected.cohort_ci_low is distinct from curve.cohort_ci_low
        or expected.cohort_ci_high is distinct from curve.cohort_ci_high
)

select * from final
