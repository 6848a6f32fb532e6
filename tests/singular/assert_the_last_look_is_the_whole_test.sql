{#- A look at the end of the log sees exactly the users of the statistics. -#}

with

looks as (select * from {{ ref('fct_experiment_looks') }}),

statistics as (select * from {{ ref('fct_experiment_statistics') }}),

last_looks as (
    select
        experiment_id,
        metric_name,
        variant,
        {{ value_at_last('unit_count', 'look_date') }} as unit_count,
        {{ value_at_last('value_mean', 'look_date') }} as value_mean,
        {{ value_at_last('value_variance', 'look_date') }} as value_variance
    from looks
    group by experiment_id, metric_name, variant
),

final as (
    select
        statistics.experiment_id,
        statistics.metric_name,
        statistics.variant,
        statistics.unit_count,
        last_looks.unit_count as looked_count,
        statistics.value_mean,
        last_looks.value_mean as looked_mean,
        statistics.value_variance,
        last_looks.value_variance as looked_variance
    from statistics
    left join last_looks
        on
            statistics.experiment_id = last_looks.experiment_id
            and statistics.metric_name = last_looks.metric_name
            and statistics.variant = last_looks.variant
    where
        statistics.outcome_version = 'raw'
        and statistics.policy = 'first_assignment'
        and statistics.dimension = 'all'
        and statistics.unit_count > 1
        and not coalesce(
            statistics.unit_count = last_looks.unit_count
            and abs(statistics.value_mean - last_looks.value_mean)
            <= 1e-9 * (1 + abs(statistics.value_mean))
            and abs(statistics.value_variance - last_looks.value_variance)
            <= 1e-9 * (1 + abs(statistics.value_variance)),
            false
        )
)

select * from final
