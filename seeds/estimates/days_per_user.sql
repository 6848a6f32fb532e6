-- Days that a new user stays within the first year
select
    expected_days as value,
    standard_error,
    user_count as users,
    null as causal_grade,
    reason_code,
    'fct_survival.all.all.0.365.14.0.1' as drawn_as
from results.expected_lifetimes
where lifetime_name = 'per_user'
