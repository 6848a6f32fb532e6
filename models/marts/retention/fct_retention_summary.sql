{#-
    Grain: one row per dimension, value, day mode and retention window.

    Rates are pooled: all retained users over all eligible ones, whatever their
    cohort. Cohorts that are too young for the window are in neither, and
    cohorts whose users all stayed away are in both.

    Users of one cohort share its weekday, its campaign and its release. The
    second interval therefore takes daily cohorts, not users, as the sample: the
    score interval of as many independent users as would vary that much, with
    Student's quantile. A design effect below 1 is taken for chance, and as 1.
-#}

with

returns as (select * from {{ ref('fct_user_returns') }}),

dimensions as (select * from {{ ref('int_users_broken_down') }}),

cohorts as (
    select
        dimensions.dimension,
        dimensions.dimension_value,
        returns.retention_type,
        returns.day_mode,
        returns.from_day_number,
        returns.to_day_number,
        returns.cohort_date,
        cast(count(*) as {{ exact_integer() }}) as cohort_size,
        cast(
            count(*) filter (where returns.is_eligible)
            as {{ exact_integer() }}
        ) as eligible_users,
        cast(
            count(*) filter (where returns.is_retained)
            as {{ exact_integer() }}
        ) as retained_users
    from returns
    inner join dimensions
        on returns.user_id = dimensions.user_id
    group by
        dimensions.dimension,
        dimensions.dimension_value,
        returns.retention_type,
        returns.day_mode,
        returns.from_day_number,
        returns.to_day_number,
        returns.cohort_date
),

pooled as (
    select
        dimension,
        dimension_value,
        retention_type,
        day_mode,
        from_day_number,
        to_day_number,
        count(*) filter (where eligible_users > 0) as cohort_count,
        sum(cohort_size) as cohort_size,
        sum(eligible_users) as eligible_users,
        sum(retained_users) as retained_users,
        sum(retained_users * retained_users) as retained_squares,
        sum(eligible_users * retained_users) as products,
        sum(eligible_users * eligible_users) as eligible_squares
    from cohorts
    group by
        dimension,
        dimension_value,
        retention_type,
        day_mode,
        from_day_number,
        to_day_number
),

spread as (
    select
        *,
        {{ design_effect(
            'cohort_count',
            'retained_users',
            'eligible_users',
            'retained_squares',
            'products',
            'eligible_squares'
        ) }} as design_effect,
        {{ student_quantile('cohort_count - 1') }} as quantile
    from pooled
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,
        retention_type,
        day_mode,
        eligible_users = cohort_size as is_mature,
        eligible_users < {{ var('minimum_cell_users') }} as is_small_cell,

        -- measures
        from_day_number,
        to_day_number,
        cast(cohort_count as integer) as cohort_count,
        cast(cohort_size as integer) as cohort_size,
        cast(eligible_users as integer) as eligible_users,
        cast(retained_users as integer) as retained_users,
        {{ rate('retained_users', 'eligible_users') }} as rate,
        {{ wilson_bound('retained_users', 'eligible_users', 'low') }} as ci_low,
        {{ wilson_bound('retained_users', 'eligible_users', 'high') }}
            as ci_high,
        design_effect,
        {{ clustered_bound(
            'retained_users',
            'eligible_users',
            'design_effect',
            'quantile',
            'low'
        ) }} as cohort_ci_low,
        {{ clustered_bound(
            'retained_users',
            'eligible_users',
            'design_effect',
            'quantile',
            'high'
        ) }} as cohort_ci_high
    from spread
)

select * from final
