{#-
    Grain: one row per experiment and metric that declares a cap.

    A cap is the declared quantile of the mature users of all variants together
    who have any of the measure: the smallest value up to which so large a share
    of them lies, so that whole numbers stay whole. A cap per variant would
    remove part of the effect, and one over users with nothing would fall to 0
    where few do anything. Numerator, denominator and covariates have their own,
    over the same users.
-#}

with

outcomes as (select * from {{ ref('fct_experiment_outcomes') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

capped as (
    select
        outcomes.*,
        metrics.cap
    from outcomes
    inner join metrics
        on
            outcomes.experiment_id = metrics.experiment_id
            and outcomes.metric_name = metrics.metric_name
    where outcomes.is_mature and metrics.cap is not null
),

parts as (
    select
        experiment_id,
        metric_name,
        user_id,
        cap,
        'outcome_value' as part,
        outcome_value as amount
    from capped
    where outcome_value > 0
    union all
    select
        experiment_id,
        metric_name,
        user_id,
        cap,
        'denominator_value' as part,
        denominator_value as amount
    from capped
    where denominator_value > 0
    union all
    select
        experiment_id,
        metric_name,
        user_id,
        cap,
        'covariate_value' as part,
        covariate_value as amount
    from capped
    where covariate_value > 0
    union all
    select
        experiment_id,
        metric_name,
        user_id,
        cap,
        'covariate_denominator_value' as part,
        covariate_denominator_value as amount
    from capped
    where covariate_denominator_value > 0
),

ranked as (
    select
        experiment_id,
        metric_name,
        part,
        amount,
        row_number() over (
            partition by experiment_id, metric_name, part
            order by amount asc nulls last, user_id asc nulls last
        ) as rank_number,
        -- 0.07 x 100 is 7, not what floating point makes of it.
        ceil(
            count(*) over (partition by experiment_id, metric_name, part) * cap
            - 1e-9
        ) as cap_number
    from parts
),

final as (
    select
        -- keys
        experiment_id,

        -- attributes
        metric_name,

        -- measures
        max(amount) filter (where part = 'outcome_value')
            as outcome_value_cap,
        max(amount) filter (where part = 'denominator_value')
            as denominator_value_cap,
        max(amount) filter (where part = 'covariate_value')
            as covariate_value_cap,
        max(amount) filter (where part = 'covariate_denominator_value')
            as covariate_denominator_value_cap
    from ranked
    where rank_number = cap_number
    group by experiment_id, metric_name
)

select * from final
