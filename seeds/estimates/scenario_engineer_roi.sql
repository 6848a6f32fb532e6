-- Return on one engineer who improves onboarding
select
    point_estimate as value,
    measured_error as standard_error,
    null as users,
    causal_grade,
    reason_code
from results.scenario_results
where
    scenario_name = 'engineer_roi'
    and version = 'randomised'
    and outcome = 'roi'
    and effect_share = 1
