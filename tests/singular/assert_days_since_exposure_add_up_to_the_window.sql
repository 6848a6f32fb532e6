{#- A user's days make up the window: their means and covariances add up. -#}

with

days as (select * from {{ ref('fct_experiment_day_statistics') }}),

statistics as (select * from {{ ref('fct_experiment_statistics') }}),

summed as (
    select
        experiment_id,
        metric_name,
        variant,
        min(unit_count) as unit_count,
        sum(value_mean) filter (where day_number = other_day_number)
            as value_mean,
        -- Each pair of two days stands once, for both of its orders.
        sum(
            case when day_number = other_day_number then 1 else 2 end
            * covariance
        ) as value_variance
    from days
    group by experiment_id, metric_name, variant
),

final as (
    select
        statistics.experiment_id,
        statistics.metric_name,
        statistics.variant,
        statistics.value_mean,
        summed.value_mean as summed_mean,
        statistics.value_variance,
        summed.value_variance as summed_variance
    from statistics
    inner join summed
        on
            statistics.experiment_id = summed.experiment_id
            and statistics.metric_name = summed.metric_name
            and statistics.variant = summed.variant
    where
        statistics.kind in ({{ kinds_with('adds_up') }})
        and statistics.kind not in ({{ kinds_with('is_share') }})
        and statistics.outcome_version = 'raw'
        and statistics.policy = 'first_assignment'
        and statistics.dimension = 'all'
        and statistics.unit_count > 1
        and not coalesce(
            statistics.unit_count = summed.unit_count
            and abs(statistics.value_mean - summed.value_mean)
            <= 1e-9 * (1 + abs(statistics.value_mean))
            and abs(statistics.value_variance - summed.value_variance)
            <= 1e-9 * (1 + abs(statistics.value_variance)),
            false
        )
)

select * from final
