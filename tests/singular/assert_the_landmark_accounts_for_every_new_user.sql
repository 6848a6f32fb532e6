{#-
    On each day and in each breakdown, those compared and those left out are all
    new users, and those observed are the eligible users of the plain table.
-#}

with

landmark as (select * from {{ ref('fct_genre_landmark') }}),

genres as (select * from {{ ref('fct_retention_by_genres') }}),

users as (select * from {{ ref('dim_users') }}),

here as (
    select
        dimension,
        dimension_value,
        day_number,
        sum(user_count) as new_users,
        coalesce(
            sum(user_count) filter (where landmark_status <> 'not_observed'), 0
        ) as eligible_users
    from landmark
    group by
        dimension,
        dimension_value,
        day_number
),

plain as (
    select
        dimension,
        dimension_value,
        day_number,
        sum(cohort_size) as new_users,
        sum(eligible_users) as eligible_users
    from genres
    group by
        dimension,
        dimension_value,
        day_number
),

everybody as (
    select count(*) as new_users
    from users
    where is_new
),

final as (
    select
        here.dimension,
        here.dimension_value,
        here.day_number
    from here
    cross join everybody
    full join plain
        on
            here.dimension = plain.dimension
            and here.dimension_value = plain.dimension_value
            and here.day_number = plain.day_number
    where
        here.new_users is distinct from plain.new_users
        or here.eligible_users is distinct from plain.eligible_users
        or (
            here.dimension = 'all'
            and here.new_users is distinct from everybody.new_users
        )
)

select * from final
