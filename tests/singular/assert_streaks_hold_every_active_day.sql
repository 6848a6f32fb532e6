{#-
    Every active day up to the watermark is in one streak of its user; a streak
    has no gap, and lies at least a day apart from the next.
-#}

with

streaks as (select * from {{ ref('fct_user_streaks') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

active_days as (
    select
        user_days.user_id,
        count(*) as active_day_count
    from user_days
    cross join bounds
    where
        user_days.is_active
        and user_days.activity_date <= bounds.watermark_date
    group by user_days.user_id
),

measured as (
    select
        user_id,
        active_day_count,
        {{ days_between('started_date', 'ended_date') }} + 1 as length_days,
        coalesce(
            {{ days_between(
                'lag(ended_date) over (partition by user_id order by'
                ~ ' streak_number asc nulls last)',
                'started_date'
            ) }},
            2
        ) as days_from_previous
    from streaks
),

streak_days as (
    select
        user_id,
        sum(active_day_count) as active_day_count,
        count(*) filter (
            where active_day_count <> length_days or days_from_previous < 2
        ) as broken_count
    from measured
    group by user_id
),

final as (
    select
        coalesce(streak_days.user_id, active_days.user_id) as user_id,
        streak_days.active_day_count as days_in_streaks,
        active_days.active_day_count,
        streak_days.broken_count
    from streak_days
    full join active_days
        on streak_days.user_id = active_days.user_id
    where
        streak_days.active_day_count
        is distinct from active_days.active_day_count
        or streak_days.broken_count > 0
)

select * from final
