{#-
    Grain: one row per experiment, metric and exposed user.

    The window opens `window_start_day` after assignment and closes, itself not
    included, at `window_end_day`: counted in elapsed 24-hour days from the
    instant of assignment, or in calendar days from its day. A user who did
    nothing in it counts 0. The covariate is the same measure over the
    `pre_period_days` before assignment, 0 where there is no history. The
    measures that `experiment_metrics.csv` may name are defined here alone.
-#}

with

exposures as (select * from {{ ref('fct_experiment_exposures') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

sessions as (select * from {{ ref('fct_sessions') }}),

events as (select * from {{ ref('int_events_sessionized') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

measures as (
    select
        user_id,
        'sessions' as measure,
        cast(1 as bigint) as amount,
        started_at as measured_at
    from sessions
    union all
    select
        user_id,
        'active' as measure,
        cast(1 as bigint) as amount,
        event_at as measured_at
    from events
    where event_type = 'play'
    union all
    select
        user_id,
        'plays' as measure,
        cast(1 as bigint) as amount,
        started_at as measured_at
    from plays
    union all
    select
        user_id,
        'valid_plays' as measure,
        cast(1 as bigint) as amount,
        started_at as measured_at
    from plays
    where is_valid_play
    union all
    select
        user_id,
        'watched_seconds' as measure,
        watched_seconds as amount,
        started_at as measured_at
    from plays
),

windows as (
    select
        exposures.experiment_id,
        exposures.user_id,
        exposures.variant,
        exposures.is_control,
        metrics.metric_name,
        metrics.kind,
        metrics.measure,
        exposures.assigned_at,
        {{ add_hours(
            'exposures.assigned_at', -24 * var('pre_period_days')
        ) }} as history_starts_at,
        case metrics.day_mode
            when 'calendar'
                then {{ local_midnight(add_days(
                    'exposures.assigned_date', 'metrics.window_start_day'
                )) }}
            else {{ add_hours(
                'exposures.assigned_at', '24 * metrics.window_start_day'
            ) }}
        end as window_starts_at,
        case metrics.day_mode
            when 'calendar'
                then {{ local_midnight(add_days(
                    'exposures.assigned_date', 'metrics.window_end_day'
                )) }}
            else {{ add_hours(
                'exposures.assigned_at', '24 * metrics.window_end_day'
            ) }}
        end as window_ends_at,
        {{ local_midnight(add_days('bounds.watermark_date', 1)) }}
            as complete_until_at
    from exposures
    inner join metrics
        on exposures.experiment_id = metrics.experiment_id
    cross join bounds
),

sums as (
    select
        windows.experiment_id,
        windows.user_id,
        windows.metric_name,
        coalesce(
            sum(measures.amount) filter (
                where
                measures.measured_at >= windows.window_starts_at
                and measures.measured_at < windows.window_ends_at
            ),
            0
        ) as amount_after,
        coalesce(
            sum(measures.amount) filter (
                where
                measures.measured_at >= windows.history_starts_at
                and measures.measured_at < windows.assigned_at
            ),
            0
        ) as amount_before
    from windows
    inner join measures
        on
            windows.user_id = measures.user_id
            and windows.measure = measures.measure
    where
        measures.measured_at >= windows.history_starts_at
        and measures.measured_at < windows.window_ends_at
    group by windows.experiment_id, windows.user_id, windows.metric_name
),

final as (
    select
        -- keys
        windows.experiment_id,
        windows.user_id,

        -- attributes
        windows.metric_name,
        windows.variant,
        windows.is_control,
        windows.window_ends_at <= windows.complete_until_at as is_mature,

        -- measures
        cast(
            case
                when windows.kind = 'proportion'
                    then least(coalesce(sums.amount_after, 0), 1)
                else coalesce(sums.amount_after, 0)
            end
            as bigint
        ) as outcome_value,
        cast(coalesce(sums.amount_before, 0) as bigint) as covariate_value,

        -- times
        windows.window_starts_at,
        windows.window_ends_at
    from windows
    left join sums
        on
            windows.experiment_id = sums.experiment_id
            and windows.user_id = sums.user_id
            and windows.metric_name = sums.metric_name
)

select * from final
