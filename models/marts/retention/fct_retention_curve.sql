{#-
    Grain: one row per dimension, value, cohort set and day number on which
    somebody of the set is eligible.

    Two curves. `eligible` rests at every day on all users whose day is loaded
    whole: it uses all that is known, but old days rest on old cohorts alone,
    so that the curve may rise without anybody coming back. `fixed` rests at
    every day on the same users, those of cohorts that were watched for
    `retention_fixed_days`: what moves in it is behaviour.

    Means are per eligible user, whoever stayed away included, and add up the
    days from the first one on.
-#}

with

user_days as (select * from {{ ref('fct_user_days') }}),

users as (select * from {{ ref('int_users_started') }}),

dimensions as (select * from {{ ref('int_users_broken_down') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

day_numbers as (
    {{ integers(
        'day_number',
        [var('retention_horizon_days'), var('retention_fixed_days')] | max
    ) }}
),

newcomers as (
    select
        users.user_id,
        users.cohort_date,
        dimensions.dimension,
        dimensions.dimension_value
    from users
    inner join dimensions
        on users.user_id = dimensions.user_id
    where
        users.is_new
        and dimensions.is_bounded
),

cohorts as (
    select
        dimension,
        dimension_value,
        cohort_date,
        count(*) as cohort_size
    from newcomers
    group by dimension, dimension_value, cohort_date
),

active_days as (
    select
        newcomers.dimension,
        newcomers.dimension_value,
        newcomers.cohort_date,
        user_days.day_number,
        count(*) as active_users,
        sum(user_days.play_count) as play_count,
        sum(user_days.watched_seconds) as watched_seconds
    from user_days
    inner join newcomers
        on user_days.user_id = newcomers.user_id
    where user_days.is_active
    group by
        newcomers.dimension,
        newcomers.dimension_value,
        newcomers.cohort_date,
        user_days.day_number
),

cells as (
    select
        cohorts.dimension,
        cohorts.dimension_value,
        cohorts.cohort_date,
        day_numbers.day_number,
        {{ add_days('cohorts.cohort_date', var('retention_fixed_days')) }}
        <= bounds.watermark_date as is_fixed,
        cast(cohorts.cohort_size as {{ exact_integer() }}) as eligible_users,
        cast(
            coalesce(active_days.active_users, 0) as {{ exact_integer() }}
        ) as retained_users,
        coalesce(active_days.play_count, 0) as play_count,
        coalesce(active_days.watched_seconds, 0) as watched_seconds
    from cohorts
    cross join day_numbers
    cross join bounds
    left join active_days
        on
            cohorts.dimension = active_days.dimension
            and cohorts.dimension_value = active_days.dimension_value
            and cohorts.cohort_date = active_days.cohort_date
            and day_numbers.day_number = active_days.day_number
    where
        {{ add_days('cohorts.cohort_date', 'day_numbers.day_number') }}
        <= bounds.watermark_date
),

cumulated as (
    select
        *,
        sum(play_count) over days_so_far as cumulative_play_count,
        sum(watched_seconds) over days_so_far as cumulative_watched_seconds
    from cells
    window
        days_so_far as (
            partition by dimension, dimension_value, cohort_date
            order by day_number asc nulls last
            rows between unbounded preceding and current row
        )
),

sets as (
    select
        'eligible' as cohort_set,
        *
    from cumulated
    where day_number <= {{ var('retention_horizon_days') }}
    union all
    select
        'fixed' as cohort_set,
        *
    from cumulated
    where
        is_fixed
        and day_number <= {{ var('retention_fixed_days') }}
),

pooled as (
    select
        dimension,
        dimension_value,
        cohort_set,
        day_number,
        count(*) as cohort_count,
        sum(eligible_users) as eligible_users,
        sum(retained_users) as retained_users,
        sum(retained_users * retained_users) as retained_squares,
        sum(eligible_users * retained_users) as products,
        sum(eligible_users * eligible_users) as eligible_squares,
        sum(cumulative_play_count) as cumulative_play_count,
        sum(cumulative_watched_seconds) as cumulative_watched_seconds
    from sets
    group by
        dimension,
        dimension_value,
        cohort_set,
        day_number
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
        cohort_set,

        -- measures
        day_number,
        cast(eligible_users as integer) as eligible_users,
        cast(retained_users as integer) as retained_users,
        {{ rate('retained_users', 'eligible_users') }} as rate,
        {{ wilson_bound('retained_users', 'eligible_users', 'low') }} as ci_low,
        {{ wilson_bound('retained_users', 'eligible_users', 'high') }}
            as ci_high,
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
        ) }} as cohort_ci_high,
        {{ rate('cumulative_play_count', 'eligible_users') }}
            as cumulative_plays_mean,
        {{ rate('cumulative_watched_seconds', 'eligible_users') }}
            as cumulative_watched_seconds_mean
    from spread
)

select * from final
