-- Change in D7 retention if half of the users under four genres reach four
select
    point_estimate as value,
    measured_error as standard_error,
    null as users,
    causal_grade,
    reason_code
from results.scenario_results
where
    scenario_name = 'explorers'
    and version = 'naive'
    and outcome = 'd7_rate_change'
    and effect_share = 1
