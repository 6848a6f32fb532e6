-- D7 retention of new users who explored fewer than four genres
with

counted as (
    select
        sum(retained_users) as retained_users,
        sum(eligible_users) as eligible_users
    from marts.fct_retention_by_genres
    where
        dimension = 'all'
        and genres_explored in ('0', '1', '2', '3')
        and day_number = 7
),

rates as (
    select
        eligible_users,
        1e0 * retained_users / nullif(eligible_users, 0) as rate
    from counted
),

final as (
    select
        rate as value,
        sqrt(rate * (1 - rate) / nullif(1e0 * eligible_users, 0))
            as standard_error,
        eligible_users as users,
        null as causal_grade
    from rates
)

select * from final
