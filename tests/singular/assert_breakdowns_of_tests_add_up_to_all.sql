{#- A user of a test is in one value of each breakdown, so sums add up too. -#}

with

statistics as (select * from {{ ref('fct_experiment_statistics') }}),

totals as (
    select
        experiment_id,
        metric_name,
        outcome_version,
        variant,
        dimension,
        sum(unit_count * value_mean) as value_total
    from statistics
    where policy = 'first_assignment'
    group by experiment_id, metric_name, outcome_version, variant, dimension
),

final as (
    select
        totals.experiment_id,
        totals.metric_name,
        totals.outcome_version,
        totals.variant,
        totals.dimension,
        everybody.value_total as all_value_total,
        totals.value_total
    from totals
    inner join totals as everybody
        on
            totals.experiment_id = everybody.experiment_id
            and totals.metric_name = everybody.metric_name
            and totals.outcome_version = everybody.outcome_version
            and totals.variant = everybody.variant
    where
        everybody.dimension = 'all'
        and abs(
            coalesce(totals.value_total, 0) - coalesce(everybody.value_total, 0)
        ) > 1e-9 * (1 + abs(coalesce(everybody.value_total, 0)))
)

select * from final
