-- D7 retention that four genres add for those who explored fewer, adjusted
select
    estimate as value,
    standard_error,
    explorer_units + other_units as users,
    causal_grade,
    ci_low,
    ci_high,
    reason_code,
    'genre_effects.estimate.aipw_atu' as drawn_as
from results.genre_effects
where estimand = 'aipw_atu'
