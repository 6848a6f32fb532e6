{#-
    Grain: one row per experiment, metric and variant: all that a test needs.

    Only users whose window is loaded whole are in the statistics; the others
    are counted beside them. Outcomes are whole numbers and are summed exactly,
    so the moments depend on no order and lose no digits.
-#}

with

outcomes as (select * from {{ ref('fct_experiment_outcomes') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

sums as (
    select
        experiment_id,
        metric_name,
        variant,
        is_control,
        count(*) filter (where is_mature) as unit_count,
        count(*) filter (where not is_mature) as immature_count,
        cast(
            sum(outcome_value) filter (where is_mature)
            as {{ exact_integer() }}
        ) as sum_value,
        cast(
            sum(covariate_value) filter (where is_mature)
            as {{ exact_integer() }}
        ) as sum_covariate,
        cast(
            sum(outcome_value * outcome_value) filter (where is_mature)
            as {{ exact_integer() }}
        ) as sum_square,
        cast(
            sum(covariate_value * covariate_value) filter (where is_mature)
            as {{ exact_integer() }}
        ) as sum_covariate_square,
        cast(
            sum(outcome_value * covariate_value) filter (where is_mature)
            as {{ exact_integer() }}
        ) as sum_product
    from outcomes
    group by experiment_id, metric_name, variant, is_control
),

final as (
    select
        -- keys
        sums.experiment_id,

        -- attributes
        sums.metric_name,
        metrics.kind,
        metrics.role,
        metrics.direction,
        sums.variant,
        sums.is_control,

        -- measures
        cast(sums.unit_count as integer) as unit_count,
        cast(sums.immature_count as integer) as immature_count,
        {{ rate('sums.sum_value', 'sums.unit_count') }} as value_mean,
        {{ sample_variance(
            'sums.unit_count',
            'sums.sum_value',
            'sums.sum_value',
            'sums.sum_square'
        ) }} as value_variance,
        {{ rate('sums.sum_covariate', 'sums.unit_count') }} as covariate_mean,
        {{ sample_variance(
            'sums.unit_count',
            'sums.sum_covariate',
            'sums.sum_covariate',
            'sums.sum_covariate_square'
        ) }} as covariate_variance,
        {{ sample_variance(
            'sums.unit_count',
            'sums.sum_value',
            'sums.sum_covariate',
            'sums.sum_product'
        ) }} as covariance
    from sums
    inner join metrics
        on
            sums.experiment_id = metrics.experiment_id
            and sums.metric_name = metrics.metric_name
)

select * from final
