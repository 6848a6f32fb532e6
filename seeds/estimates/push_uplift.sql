-- Sessions per user over 7 days that push reminders add
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
    'experiment_results.estimate.push_reminders'
    || '.sessions_per_user.welch_t.raw.first_assignment.none' as drawn_as
from results.experiment_results
where
    experiment_id = 'push_reminders'
    and metric_name = 'sessions_per_user'
    and method = 'welch_t'
    and outcome_version = 'raw'
    and policy = 'first_assignment'
    and adjustment = 'none'
