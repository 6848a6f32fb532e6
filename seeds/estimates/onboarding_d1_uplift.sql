-- D1 retention that onboarding personalisation adds
select
    estimate as value,
    standard_error,
    control_units + treatment_units as users,
    causal_grade,
    ci_low,
    ci_high,
    control_mean,
    control_units as control_users,
    treatment_units as treatment_users,
    kind,
    reason_code,
    'experiment_results.estimate.onboarding_personalisation'
    || '.d1_retention.two_proportion_z.raw.first_assignment.none' as drawn_as
from results.experiment_results
where
    experiment_id = 'onboarding_personalisation'
    and metric_name = 'd1_retention'
    and method = 'two_proportion_z'
    and outcome_version = 'raw'
    and policy = 'first_assignment'
    and adjustment = 'none'
