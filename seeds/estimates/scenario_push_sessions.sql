-- Sessions per week that push reminders add for ten million users
select
    point_estimate as value,
    measured_error as standard_error,
    null as users,
    causal_grade,
    reason_code
from results.scenario_results
where
    scenario_name = 'push_rollout'
    and version = 'randomised'
    and outcome = 'extra_sessions_per_week'
    and effect_share = 1
