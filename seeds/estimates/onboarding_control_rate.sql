-- D1 retention without onboarding personalisation, with its interval
select
    control_mean as value,
    null as standard_error,
    control_units as users,
    null as causal_grade,
    control_ci_low as ci_low,
    control_ci_high as ci_high,
    alpha,
    reason_code,
    'experiment_results.control_mean.onboarding_personalisation'
    || '.d1_retention.two_proportion_z.raw.first_assignment.none' as drawn_as
from results.experiment_results
where
    experiment_id = 'onboarding_personalisation'
    and metric_name = 'd1_retention'
    and method = 'two_proportion_z'
    and outcome_version = 'raw'
    and policy = 'first_assignment'
    and adjustment = 'none'
