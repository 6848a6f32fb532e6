{#- Grain: one row per new user. -#}

with

explored as (select * from {{ ref('int_genres_explored') }}),

users as (select * from {{ ref('int_users_started') }}),

returns as (select * from {{ ref('fct_user_returns') }}),

outcomes as (
    select
        user_id,
        is_eligible,
        is_retained
    from returns
    where
        retention_type = 'on_day'
        and day_mode = 'calendar'
        and from_day_number = {{ var('genre_outcome_day') }}
),

final as (
    select
        -- keys
        explored.user_id,

        -- attributes
        users.platform,
        users.country_code,
        users.acquisition_channel,
        case
            when explored.genre_count >= {{ var('explorer_genre_count') }}
                then '{{ var("explorer_genre_count") }}+'
            else cast(explored.genre_count as varchar)
        end as genres_explored,
        explored.genre_count >= {{ var('explorer_genre_count') }}
            as is_explorer,
        outcomes.is_eligible,
        outcomes.is_retained,

        -- measures
        explored.genre_count,
        explored.valid_play_count,
        explored.active_day_count,
        explored.watched_seconds,

        -- times
        users.cohort_date
    from explored
    inner join users
        on explored.user_id = users.user_id
    inner join outcomes
        on explored.user_id = outcomes.user_id
)

select * from final
