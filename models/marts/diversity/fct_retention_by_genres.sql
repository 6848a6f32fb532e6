{#-
    Grain: one row per dimension, value and number of genres explored.

    The plain table. It compares users who differ in more than their genres,
    above all in how much they play, so its gaps are associations.
-#}

with

diversity as (select * from {{ ref('fct_user_diversity') }}),

dimensions as (select * from {{ ref('int_users_dimensioned') }}),

counted as (
    select
        dimensions.dimension,
        dimensions.dimension_value,
        diversity.genres_explored,
        cast(count(*) as integer) as cohort_size,
        cast(count(*) filter (where diversity.is_eligible) as integer)
            as eligible_users,
        cast(count(*) filter (where diversity.is_retained) as integer)
            as retained_users
    from diversity
    inner join dimensions
        on diversity.user_id = dimensions.user_id
    where dimensions.dimension in ('all', 'platform', 'country')
    group by
        dimensions.dimension,
        dimensions.dimension_value,
        diversity.genres_explored
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,
        genres_explored,
        eligible_users = cohort_size as is_mature,

        -- measures
        {{ var('genre_outcome_day') }} as day_number,
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
