-- New users below the genre count of explorers, whose outcome day is known
select
    value,
    0 as standard_error,
    user_count as users,
    null as causal_grade
from marts.fct_scenario_baselines
where baseline_name = 'low_explorers'
