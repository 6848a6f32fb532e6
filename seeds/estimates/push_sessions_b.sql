-- Sessions per user over 7 days with push reminders
select
    found.treatment_mean as value,
    sqrt(arms.value_variance / nullif(1e0 * arms.unit_count, 0))
        as standard_error,
    arms.unit_count as users,
    null as causal_grade,
    found.treatment_ci_low as ci_low,
    found.treatment_ci_high as ci_high,
    found.reason_code
from results.experiment_results as found
inner join marts.fct_experiment_statistics as arms
    on
        found.experiment_id = arms.experiment_id
        and found.metric_name = arms.metric_name
        and found.treatment_variant = arms.variant
        and found.outcome_version = arms.outcome_version
        and found.policy = arms.policy
        and arms.dimension = 'all'
where
    found.experiment_id = 'push_reminders'
    and found.metric_name = 'sessions_per_user'
    and found.method = 'welch_t'
    and found.outcome_version = 'raw'
    and found.policy = 'first_assignment'
    and found.adjustment = 'none'
