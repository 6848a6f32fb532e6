{#- The adjusted estimate must rest on the same users as the plain table. -#}

with

strata as (select * from {{ ref('fct_genre_strata') }}),

genres as (select * from {{ ref('fct_retention_by_genres') }}),

adjusted as (
    select
        coalesce(sum(eligible_users), 0) as eligible_users,
        coalesce(sum(retained_users), 0) as retained_users
    from strata
),

plain as (
    select
        coalesce(sum(eligible_users), 0) as eligible_users,
        coalesce(sum(retained_users), 0) as retained_users
    from genres
    where
        dimension = 'all'
        and day_number = {{ var('genre_outcome_day') }}
),

final as (
    select
        adjusted.eligible_users,
        plain.eligible_users as plain_eligible_users,
        adjusted.retained_users,
        plain.retained_users as plain_retained_users
    from adjusted
    cross join plain
    where
        adjusted.eligible_users is distinct from plain.eligible_users
        or adjusted.retained_users is distinct from plain.retained_users
)

select * from final
