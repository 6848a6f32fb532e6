-- New users below four genres on whom d7_gap_adjusted rests
select
    other_units as value,
    0 as standard_error,
    other_units as users,
    null as causal_grade
from results.genre_effects
where estimand = 'aipw_atu'
