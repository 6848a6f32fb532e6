-- D7 retention of new users
select
    value,
    standard_error,
    user_count as users,
    null as causal_grade,
    'fct_scenario_baselines.value.d7_rate' as drawn_as
from marts.fct_scenario_baselines
where baseline_name = 'd7_rate'
