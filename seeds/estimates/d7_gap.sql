-- D7 retention after four or more genres minus that after fewer, unadjusted
select
    estimate as value,
    standard_error,
    explorer_units + other_units as users,
    causal_grade,
    ci_low,
    ci_high,
    reason_code,
    'genre_effects.estimate.naive_difference' as drawn_as
from results.genre_effects
where estimand = 'naive_difference'
