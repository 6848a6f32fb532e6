{#-
    Grain: one row per cohort grain, cohort and period number.

    Users who began in one day, week or month are a cohort; its period 1 is the
    calendar day, week or month after. A cell is mature once its whole period
    is loaded. An immature cell has nobody eligible and no rate: nothing is
    known, which is not 0 %. Period 0 is the cohort's own, so everybody was
    active in it.

    A cohort is complete when the log covers its whole period: the first week
    of a log that begins on a Thursday misses three days of newcomers.
-#}

with

user_days as (select * from {{ ref('fct_user_days') }}),

users as (select * from {{ ref('int_users_started') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

{%- set last_periods = {
    'day': var('retention_horizon_days'),
    'week': var('retention_horizon_days') // 7,
    'month': var('retention_horizon_days') // 30,
} %}

period_numbers as (
    {{ integers('period_number', var('retention_horizon_days')) }}
),

starts as (
    {% for grain in last_periods -%}
        select
            '{{ grain }}' as cohort_grain,
            user_id,
            {{ period_start('cohort_date', grain) }} as cohort_date
        from users
        where is_new
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

active_periods as (
    {% for grain in last_periods -%}
        select
            '{{ grain }}' as cohort_grain,
            user_id,
            {{ period_start('activity_date', grain) }} as period_date
        from user_days
        where
            is_new
            and is_active
        group by user_id, {{ period_start('activity_date', grain) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

cohorts as (
    select
        cohort_grain,
        cohort_date,
        count(*) as cohort_size
    from starts
    group by cohort_grain, cohort_date
),

returns as (
    select
        starts.cohort_grain,
        starts.cohort_date,
        active_periods.period_date,
        count(*) as retained_users
    from starts
    inner join active_periods
        on
            starts.cohort_grain = active_periods.cohort_grain
            and starts.user_id = active_periods.user_id
    group by
        starts.cohort_grain,
        starts.cohort_date,
        active_periods.period_date
),

cells as (
    {% for grain, last_period in last_periods.items() -%}
        select
            cohorts.*,
            period_numbers.period_number,
            {{ add_periods(
                'cohorts.cohort_date', 'period_numbers.period_number', grain
            ) }} as period_date,
            {{ add_periods(
                'cohorts.cohort_date', 'period_numbers.period_number + 1', grain
            ) }} as next_period_date,
            {{ add_periods('cohorts.cohort_date', '1', grain) }}
                as next_cohort_date
        from cohorts
        cross join period_numbers
        where
            cohorts.cohort_grain = '{{ grain }}'
            and period_numbers.period_number <= {{ last_period }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

judged as (
    select
        cells.*,
        cells.next_period_date <= {{ add_days('bounds.watermark_date', 1) }}
            as is_mature,
        (
            cells.cohort_date >= bounds.observed_from_date
            and cells.next_cohort_date
            <= {{ add_days('bounds.watermark_date', 1) }}
        ) as is_cohort_complete
    from cells
    cross join bounds
),

counted as (
    select
        judged.cohort_grain,
        judged.cohort_date,
        judged.period_number,
        judged.is_mature,
        judged.is_cohort_complete,
        cast(judged.cohort_size as integer) as cohort_size,
        cast(
            case when judged.is_mature then judged.cohort_size else 0 end
            as integer
        ) as eligible_users,
        cast(
            case
                when judged.is_mature then coalesce(returns.retained_users, 0)
                else 0
            end
            as integer
        ) as retained_users
    from judged
    left join returns
        on
            judged.cohort_grain = returns.cohort_grain
            and judged.cohort_date = returns.cohort_date
            and judged.period_date = returns.period_date
),

final as (
    select
        -- attributes
        cohort_grain,
        is_cohort_complete,
        is_mature,
        eligible_users < {{ var('minimum_cell_users') }} as is_small_cell,

        -- measures
        period_number,
        cohort_size,
        eligible_users,
        retained_users,
        {{ rate('retained_users', 'eligible_users') }} as rate,
        {{ wilson_bound('retained_users', 'eligible_users', 'low') }} as ci_low,
        {{ wilson_bound('retained_users', 'eligible_users', 'high') }}
            as ci_high,

        -- times
        cohort_date
    from counted
)

select * from final
