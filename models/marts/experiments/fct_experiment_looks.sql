{#-
    Grain: one row per experiment, metric, variant and day: what a look at the
    end of that day would have shown.

    A user is in from the day on which the outcome window closes. The days are
    those on which somebody's did, and each variant has a row for each: so a
    test can be read, or monitored, as of any day of its past.
-#}

with

outcomes as (select * from {{ ref('fct_experiment_outcomes') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

variants as (select * from {{ ref('stg_reference__variants') }}),

-- A window that closes at midnight was complete at the end of the day before.
closed as (
    select
        *,
        case
            when window_ends_at > window_starts_at
                then {{ local_date(add_seconds('window_ends_at', -1)) }}
            else {{ local_date('window_ends_at') }}
        end as look_date
    from outcomes
    where is_mature
),

-- Fractions are taken from their mean, so that their squares do not collapse.
centres as (
    select
        experiment_id,
        metric_name,
        case
            when min(cast(is_whole as integer)) = 1 then 0
            else avg(outcome_value)
        end as value_centre,
        case
            when min(cast(is_whole as integer)) = 1 then 0
            else avg(denominator_value)
        end as denominator_centre
    from closed
    group by experiment_id, metric_name
),

centred as (
    select
        closed.experiment_id,
        closed.metric_name,
        closed.variant,
        closed.look_date,
        closed.outcome_value - centres.value_centre as value,
        closed.denominator_value - centres.denominator_centre as denominator
    from closed
    inner join centres
        on
            closed.experiment_id = centres.experiment_id
            and closed.metric_name = centres.metric_name
),

daily as (
    select
        experiment_id,
        metric_name,
        variant,
        look_date,
        count(*) as unit_count,
        sum(value) as sum_value,
        sum(denominator) as sum_denominator,
        sum(value * value) as sum_value_value,
        sum(value * denominator) as sum_value_denominator,
        sum(denominator * denominator) as sum_denominator_denominator
    from centred
    group by experiment_id, metric_name, variant, look_date
),

look_dates as (
    select
        experiment_id,
        metric_name,
        look_date
    from daily
    group by experiment_id, metric_name, look_date
),

looked as (
    select
        look_dates.experiment_id,
        look_dates.metric_name,
        variants.variant,
        variants.is_control,
        look_dates.look_date,
        coalesce(sum(daily.unit_count) over so_far, 0)
            as unit_count,
        coalesce(sum(daily.sum_value) over so_far, 0)
            as sum_value,
        coalesce(sum(daily.sum_denominator) over so_far, 0)
            as sum_denominator,
        coalesce(sum(daily.sum_value_value) over so_far, 0)
            as sum_value_value,
        coalesce(sum(daily.sum_value_denominator) over so_far, 0)
            as sum_value_denominator,
        coalesce(sum(daily.sum_denominator_denominator) over so_far, 0)
            as sum_denominator_denominator
    from look_dates
    inner join variants
        on look_dates.experiment_id = variants.experiment_id
    left join daily
        on
            look_dates.experiment_id = daily.experiment_id
            and look_dates.metric_name = daily.metric_name
            and variants.variant = daily.variant
            and look_dates.look_date = daily.look_date
    window
        so_far as (
            partition by
                look_dates.experiment_id,
                look_dates.metric_name,
                variants.variant
            order by look_dates.look_date asc nulls last
            rows between unbounded preceding and current row
        )
),

final as (
    select
        -- keys
        looked.experiment_id,

        -- attributes
        looked.metric_name,
        metrics.kind,
        looked.variant,
        looked.is_control,

        -- measures
        cast(looked.unit_count as integer) as unit_count,
        {{ rate('looked.sum_value', 'looked.unit_count') }}
        + centres.value_centre as value_mean,
        {{ sample_variance(
            'looked.unit_count',
            'looked.sum_value',
            'looked.sum_value',
            'looked.sum_value_value'
        ) }} as value_variance,
        case
            when metrics.kind in ({{ kinds_with('has_denominator') }})
                then
                    {{ rate('looked.sum_denominator', 'looked.unit_count') }}
                    + centres.denominator_centre
        end as denominator_mean,
        case
            when metrics.kind in ({{ kinds_with('has_denominator') }})
                then {{ sample_variance(
                    'looked.unit_count',
                    'looked.sum_denominator',
                    'looked.sum_denominator',
                    'looked.sum_denominator_denominator'
                ) }}
        end as denominator_variance,
        case
            when metrics.kind in ({{ kinds_with('has_denominator') }})
                then {{ sample_variance(
                    'looked.unit_count',
                    'looked.sum_value',
                    'looked.sum_denominator',
                    'looked.sum_value_denominator'
                ) }}
        end as value_denominator_covariance,

        -- times
        looked.look_date
    from looked
    inner join metrics
        on
            looked.experiment_id = metrics.experiment_id
            and looked.metric_name = metrics.metric_name
    inner join centres
        on
            looked.experiment_id = centres.experiment_id
            and looked.metric_name = centres.metric_name
)

select * from final
