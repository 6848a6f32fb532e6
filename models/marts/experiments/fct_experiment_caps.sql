{#-
    Grain: one row per experiment and metric that declares a cap.

    A cap is the declared quantile of the mature users of all variants together
    who have any of the measure, interpolated between ranks: a cap per variant
    would remove part of the effect, and one over users with nothing would fall
    to 0 where few do anything. Numerator, denominator and covariates have their
    own, over the same users.
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
        ) - 1 as users_below,
        (count(*) over (partition by experiment_id, metric_name, part) - 1)
        * cap as place
    from parts
),

quantiles as (
    select
        experiment_id,
        metric_name,
        part,
        max(amount) filter (where users_below = floor(place)) as amount_below,
        max(amount) filter (where users_below = ceil(place)) as amount_above,
        max(place) - floor(max(place)) as rest
    from ranked
    group by experiment_id, metric_name, part
),

interpolated as (
    select
        experiment_id,
        metric_name,
        part,
        amount_below + rest * (amount_above - amount_below) as amount
    from quantiles
),

final as (
    select
        -- keys
        experiment_id,

        -- attributes
        metric_name,
        max(amount - floor(amount)) = 0 as is_whole,

        -- measures
        max(amount) filter (where part = 'outcome_value')
            as outcome_value_cap,
        max(amount) filter (where part = 'denominator_value')
            as denominator_value_cap,
        max(amount) filter (where part = 'covariate_value')
            as covariate_value_cap,
        max(amount) filter (where part = 'covariate_denominator_value')
            as covariate_denominator_value_cap
    from interpolated
    group by experiment_id, metric_name
)

select * from final
