-- D7 retention of new users who explored two genres at first
select
    rate as value,
    sqrt(rate * (1 - rate) / nullif(1e0 * eligible_users, 0))
        as standard_error,
    eligible_users as users,
    null as causal_grade
from marts.fct_retention_by_genres
where
    dimension = 'all'
    and genres_explored = '2'
    and day_number = 7
