-- D7 retention minus D30 retention of new users
--
-- The same users return on both days, which makes the gap steadier than two
-- independent rates: this error is an upper bound.
select
    early.value - late.value as value,
    sqrt(
        early.standard_error * early.standard_error
        + late.standard_error * late.standard_error
    ) as standard_error,
    late.user_count as users,
    null as causal_grade
from marts.fct_scenario_baselines as early
cross join marts.fct_scenario_baselines as late
where
    early.baseline_name = 'd7_rate'
    and late.baseline_name = 'd30_rate'
