{#-
    Grain: one row per experiment, metric and assigned user.

    The window opens `window_start_day` after assignment and closes, itself not
    included, at `window_end_day`: counted in elapsed 24-hour days from the
    instant of assignment, or in calendar days from its day. A user who did
    nothing in it counts 0. The covariate is the same measure over the
    `pre_period_days` before assignment, 0 where there is no history. A measure
    that does not come from events is one of the log's own `user_measures.csv`:
    its window had closed when it was written down.

    The cell number is four times that of the assignment, plus 2 with a history
    and 1 when mature: one whole number says all that any statistic asks of a
    user besides its values.
-#}

with

assignments as (select * from {{ ref('fct_experiment_assignments') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

users as (select * from {{ ref('int_users_started') }}),

measures as (select * from {{ ref('int_measures_recorded') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

own_measures as (select * from {{ ref('int_measures_classified') }}),

declared as (select * from {{ ref('int_measures_declared') }}),

event_measures as (select * from {{ ref('int_measures_declared') }}),

event_metrics as (
    select metrics.*
    from metrics
    inner join event_measures
        on metrics.measure = event_measures.measure
),

windows as (
    select
        assignments.experiment_id,
        assignments.user_id,
        users.user_key,
        event_metrics.metric_name,
        event_metrics.kind,
        event_metrics.measure,
        event_metrics.denominator_measure,
        assignments.assigned_at,
        {{ add_hours(
            'assignments.assigned_at', -24 * var('pre_period_days')
        ) }} as history_starts_at,
        case event_metrics.day_mode
            when 'calendar'
                then {{ local_midnight(add_days(
                    'assignments.assigned_date', 'event_metrics.window_start_day'
                )) }}
            else {{ add_hours(
                'assignments.assigned_at', '24 * event_metrics.window_start_day'
            ) }}
        end as window_starts_at,
        case event_metrics.day_mode
            when 'calendar'
                then {{ local_midnight(add_days(
                    'assignments.assigned_date', 'event_metrics.window_end_day'
                )) }}
            else {{ add_hours(
                'assignments.assigned_at', '24 * event_metrics.window_end_day'
            ) }}
        end as window_ends_at,
        {{ local_midnight(add_days('bounds.watermark_date', 1)) }}
            as complete_until_at,
        coalesce(users.first_active_at < assignments.assigned_at, false)
            as has_history
    from assignments
    inner join event_metrics
        on assignments.experiment_id = event_metrics.experiment_id
    left join users
        on assignments.user_id = users.user_id
    cross join bounds
),

-- A ratio needs two measures of the same window.
parts as (
    select
        *,
        measure as summed_measure,
        false as is_denominator
    from windows
    union all
    select
        *,
        denominator_measure as summed_measure,
        true as is_denominator
    from windows
    where kind in ({{ kinds_with('has_denominator') }})
),

sums as (
    select
        parts.experiment_id,
        parts.user_id,
        parts.metric_name,
        sum(measures.amount) filter (
            where
            not parts.is_denominator
            and measures.measured_at >= parts.window_starts_at
            and measures.measured_at < parts.window_ends_at
        ) as value_after,
        sum(measures.amount) filter (
            where
            not parts.is_denominator
            and measures.measured_at >= parts.history_starts_at
            and measures.measured_at < parts.assigned_at
        ) as value_before,
        sum(measures.amount) filter (
            where
            parts.is_denominator
            and measures.measured_at >= parts.window_starts_at
            and measures.measured_at < parts.window_ends_at
        ) as denominator_after,
        sum(measures.amount) filter (
            where
            parts.is_denominator
            and measures.measured_at >= parts.history_starts_at
            and measures.measured_at < parts.assigned_at
        ) as denominator_before
    from parts
    inner join measures
        on
            parts.user_key = measures.user_key
            and parts.summed_measure = measures.measure
    where
        measures.measured_at >= parts.history_starts_at
        and measures.measured_at < parts.window_ends_at
    group by parts.experiment_id, parts.user_id, parts.metric_name
),

measured as (
    select
        windows.experiment_id,
        windows.user_id,
        windows.metric_name,
        windows.window_ends_at <= windows.complete_until_at as is_mature,
        windows.has_history or coalesce(sums.value_before, 0) > 0
            as has_history,
        true as is_whole,
        cast(
            case
                when windows.kind in ({{ kinds_with('is_share') }})
                    then least(coalesce(sums.value_after, 0), 1)
                else coalesce(sums.value_after, 0)
            end
            as {{ data_type('double') }}
        ) as outcome_value,
        cast(
            case
                when windows.kind in ({{ kinds_with('has_denominator') }})
                    then coalesce(sums.denominator_after, 0)
            end
            as {{ data_type('double') }}
        ) as denominator_value,
        cast(
            coalesce(sums.value_before, 0) as {{ data_type('double') }}
        ) as covariate_value,
        cast(
            case
                when windows.kind in ({{ kinds_with('has_denominator') }})
                    then coalesce(sums.denominator_before, 0)
            end
            as {{ data_type('double') }}
        ) as covariate_denominator_value,
        windows.window_starts_at,
        windows.window_ends_at
    from windows
    left join sums
        on
            windows.experiment_id = sums.experiment_id
            and windows.user_id = sums.user_id
            and windows.metric_name = sums.metric_name
),

known_measures as (
    select *
    from own_measures
    where row_verdict = 'canonical'
),

-- Whole numbers below 2^31 have exact squares in 64 bits.
own_kinds as (
    select
        experiment_id,
        measure,
        count(value_before) > 0 as has_covariate,
        max(
            case
                when
                    value = floor(value)
                    and abs(value) < 2147483648
                    and coalesce(value_before, 0)
                    = floor(coalesce(value_before, 0))
                    and abs(coalesce(value_before, 0)) < 2147483648
                    then 0
                else 1
            end
        ) = 0 as is_whole
    from known_measures
    group by experiment_id, measure
),

own_metrics as (
    select
        metrics.experiment_id,
        metrics.metric_name,
        metrics.kind,
        metrics.measure,
        metrics.denominator_measure,
        coalesce(values_of.has_covariate, false) as has_covariate,
        coalesce(values_of.is_whole, true)
        and coalesce(denominators_of.is_whole, true) as is_whole
    from metrics
    left join own_kinds as values_of
        on
            metrics.experiment_id = values_of.experiment_id
            and metrics.measure = values_of.measure
    left join own_kinds as denominators_of
        on
            metrics.experiment_id = denominators_of.experiment_id
            and metrics.denominator_measure = denominators_of.measure
    left join declared
        on metrics.measure = declared.measure
    where declared.measure is null
),

given as (
    select
        assignments.experiment_id,
        assignments.user_id,
        own_metrics.metric_name,
        true as is_mature,
        values_of.value_before is not null as has_history,
        own_metrics.is_whole,
        coalesce(values_of.value, 0) as outcome_value,
        case
            when own_metrics.kind in ({{ kinds_with('has_denominator') }})
                then coalesce(denominators_of.value, 0)
        end as denominator_value,
        case
            when own_metrics.has_covariate
                then coalesce(values_of.value_before, 0)
        end as covariate_value,
        case
            when
                own_metrics.kind in ({{ kinds_with('has_denominator') }})
                and own_metrics.has_covariate
                then coalesce(denominators_of.value_before, 0)
        end as covariate_denominator_value,
        assignments.assigned_at as window_starts_at,
        assignments.assigned_at as window_ends_at
    from assignments
    inner join own_metrics
        on assignments.experiment_id = own_metrics.experiment_id
    left join known_measures as values_of
        on
            assignments.experiment_id = values_of.experiment_id
            and assignments.user_id = values_of.user_id
            and own_metrics.measure = values_of.measure
    left join known_measures as denominators_of
        on
            assignments.experiment_id = denominators_of.experiment_id
            and assignments.user_id = denominators_of.user_id
            and own_metrics.denominator_measure = denominators_of.measure
),

outcomes as (
    select * from measured
    union all
    select * from given
),

final as (
    select
        -- keys
        outcomes.experiment_id,
        outcomes.user_id,

        -- attributes
        outcomes.metric_name,
        assignments.variant,
        assignments.is_control,
        outcomes.has_history,
        outcomes.is_mature,
        outcomes.is_whole,

        -- measures
        4 * assignments.arm_cell_number
        + case when outcomes.has_history then 2 else 0 end
        + case when outcomes.is_mature then 1 else 0 end as cell_number,
        outcomes.outcome_value,
        outcomes.denominator_value,
        outcomes.covariate_value,
        outcomes.covariate_denominator_value,

        -- times
        outcomes.window_starts_at,
        outcomes.window_ends_at
    from outcomes
    inner join assignments
        on
            outcomes.experiment_id = assignments.experiment_id
            and outcomes.user_id = assignments.user_id
)

select * from final
