{#-
    Grain: one row per experiment, quantile metric, variant and rank: values of
    users in ascending order.

    A quantile's standard error is read off the values between which it lies
    with 95 %, whatever level the interval of an effect has; these three ranks
    are here, and a grid of the distribution.
-#}

with

outcomes as (select * from {{ ref('fct_experiment_outcomes') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

ranked as (
    select
        outcomes.experiment_id,
        outcomes.metric_name,
        outcomes.variant,
        outcomes.is_control,
        metrics.quantile,
        outcomes.outcome_value as value,
        count(*) over (
            partition by
                outcomes.experiment_id, outcomes.metric_name, outcomes.variant
        ) as unit_count,
        row_number() over (
            partition by
                outcomes.experiment_id, outcomes.metric_name, outcomes.variant
            order by
                outcomes.outcome_value asc nulls last,
                outcomes.user_id asc nulls last
        ) as rank_number
    from outcomes
    inner join metrics
        on
            outcomes.experiment_id = metrics.experiment_id
            and outcomes.metric_name = metrics.metric_name
    where
        metrics.kind in ({{ kinds_with('has_ranks') }})
        and outcomes.is_mature
),

-- 0.07 x 100 is 7, not the 7.000000000000001 that floating point makes of it.
final as (
    select
        -- keys
        experiment_id,

        -- attributes
        metric_name,
        variant,
        is_control,

        -- measures
        quantile,
        cast(unit_count as integer) as unit_count,
        cast(rank_number as integer) as rank_number,
        value
    from ranked
    where
        rank_number in (
            {% for twentieth in range(1, 20) -%}
                greatest(
                    ceil(unit_count * {{ 5 * twentieth }} / 100e0 - 1e-9), 1
                ),
            {% endfor -%}
            greatest(ceil(unit_count * quantile - 1e-9), 1),
            least(greatest(
                floor(
                    unit_count * quantile - 1.959963984540054e0
                    * sqrt(unit_count * quantile * (1 - quantile))
                ),
                1
            ), unit_count),
            greatest(least(
                ceil(
                    unit_count * quantile + 1.959963984540054e0
                    * sqrt(unit_count * quantile * (1 - quantile))
                ),
                unit_count
            ), 1)
        )
)

select * from final
