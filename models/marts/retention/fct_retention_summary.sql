{#-
    Grain: one row per dimension, value and reported day number.

    Rates are pooled: all retained users over all eligible ones, whatever their
    cohort. Cohorts that are too young for the day are in neither.
-#}

with

returns as (select * from {{ ref('fct_user_returns') }}),

dimensions as (select * from {{ ref('int_users_dimensioned') }}),

counted as (
    select
        dimensions.dimension,
        dimensions.dimension_value,
        returns.day_number,
        cast(count(*) as integer) as cohort_size,
        cast(count(*) filter (where returns.is_eligible) as integer)
            as eligible_users,
        cast(count(*) filter (where returns.is_retained) as integer)
            as retained_users
    from returns
    inner join dimensions
        on returns.user_id = dimensions.user_id
    group by
        dimensions.dimension,
        dimensions.dimension_value,
        returns.day_number
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,
        eligible_users = cohort_size as is_mature,

        -- measures
        day_number,
        cohort_size,
        eligible_users,
        retained_users,
        {{ rate('retained_users', 'eligible_users') }} as rate,
        {{ wilson_bound('retained_users', 'eligible_users', 'low') }} as ci_low,
        {{ wilson_bound('retained_users', 'eligible_users', 'high') }}
            as ci_high
    from counted
)

select * from final
