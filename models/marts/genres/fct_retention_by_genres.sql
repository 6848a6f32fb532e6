{#-
    Grain: one row per dimension, value, day of retention after the window and
    number of genres explored.

    The plain table. It compares users who differ in more than their genres,
    above all in how much they play, so its gaps are associations.
-#}

with

diversity as (select * from {{ ref('fct_user_genres') }}),

returns as (select * from {{ ref('fct_user_returns') }}),

dimensions as (select * from {{ ref('int_users_broken_down') }}),

outcomes as (
    select
        user_id,
        from_day_number as day_number,
        is_eligible,
        is_retained
    from returns
    where
        retention_type = 'on_day'
        and day_mode = 'calendar'
        and from_day_number >= {{ var('genre_window_days') }}
),

counted as (
    select
        dimensions.dimension,
        dimensions.dimension_value,
        outcomes.day_number,
        diversity.genres_explored,
        cast(count(*) as integer) as cohort_size,
        cast(count(*) filter (where outcomes.is_eligible) as integer)
            as eligible_users,
        cast(count(*) filter (where outcomes.is_retained) as integer)
            as retained_users
    from diversity
    inner join outcomes
        on diversity.user_id = outcomes.user_id
    inner join dimensions
        on diversity.user_id = dimensions.user_id
    where dimensions.is_bounded
    group by
        dimensions.dimension,
        dimensions.dimension_value,
        outcomes.day_number,
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
