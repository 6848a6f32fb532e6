{{ config(materialized='view') }}

{#-
    Grain: one row per experiment, metric, version of its outcome and exposed
    user.

    A metric with a cap has two versions: its outcomes as they are, and no
    higher than the cap. Both are analysed; which one speaks is for the reader.
-#}

with

outcomes as (select * from {{ ref('fct_experiment_outcomes') }}),

capped_outcomes as (select * from {{ ref('fct_experiment_outcomes') }}),

caps as (select * from {{ ref('fct_experiment_caps') }}),

final as (
    select
        experiment_id,
        user_id,
        metric_name,
        'raw' as outcome_version,
        is_whole,
        cell_number,
        outcome_value as value,
        denominator_value as denominator,
        covariate_value as covariate,
        covariate_denominator_value as covariate_denominator
    from outcomes
    union all
    select
        capped_outcomes.experiment_id,
        capped_outcomes.user_id,
        capped_outcomes.metric_name,
        'capped' as outcome_version,
        capped_outcomes.is_whole,
        capped_outcomes.cell_number,
        least(capped_outcomes.outcome_value, caps.outcome_value_cap) as value,
        least(capped_outcomes.denominator_value, caps.denominator_value_cap)
            as denominator,
        least(capped_outcomes.covariate_value, caps.covariate_value_cap)
            as covariate,
        least(
            capped_outcomes.covariate_denominator_value,
            caps.covariate_denominator_value_cap
        ) as covariate_denominator
    from capped_outcomes
    inner join caps
        on
            capped_outcomes.experiment_id = caps.experiment_id
            and capped_outcomes.metric_name = caps.metric_name
)

select * from final
