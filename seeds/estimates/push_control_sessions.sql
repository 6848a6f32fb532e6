-- Sessions per user over 7 days without push reminders, with its interval
select
    control_mean as value,
    null as standard_error,
    control_units as users,
    null as causal_grade,
    control_ci_low as ci_low,
    control_ci_high as ci_high,
    alpha,
    reason_code,
    'experiment_results.control_mean.push_reminders'
    || '.sessions_per_user.welch_t.raw.first_assignment.none' as drawn_as
from results.experiment_results
where
    experiment_id = 'push_reminders'
    and metric_name = 'sessions_per_user'
    and method = 'welch_t'
    and outcome_version = 'raw'
    and policy = 'first_assignment'
    and adjustment = 'none'
