{#-
    Grain: one row per new user.

    `landmark_status` says whether the user takes part in the comparison of
    explorers with others, and if not, what stands against it first: the
    outcome day is not loaded, no valid play, no known genre, or fewer plays
    than it takes to explore. It is known at the end of the window, for
    everybody alike, and never depends on what the user did afterwards.
-#}

with

explored as (select * from {{ ref('int_genres_explored') }}),

measured as (select * from {{ ref('int_genre_diversity_measured') }}),

users as (select * from {{ ref('int_users_started') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

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

early_sessions as (
    select
        user_id,
        cast(sum(session_count) as integer) as session_count
    from user_days
    where
        is_new
        and day_number between 0 and {{ var('genre_window_days') }} - 1
    group by user_id
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
            else cast(explored.genre_count as {{ data_type('varchar') }})
        end as genres_explored,
        explored.genre_count >= {{ var('explorer_genre_count') }}
            as is_explorer,
        {{ landmark_status('outcomes.is_eligible') }} as landmark_status,
        explored.has_enough_plays,
        outcomes.is_eligible,
        outcomes.is_retained,

        -- measures
        explored.genre_count,
        explored.shuffled_genre_count,
        explored.overlapping_genre_count,
        measured.effective_genres,
        measured.dominant_genres,
        measured.evenness,
        measured.rarefied_genres,
        measured.estimated_genres,
        explored.valid_play_count,
        explored.unknown_genre_play_count,
        explored.active_day_count,
        coalesce(early_sessions.session_count, 0) as session_count,
        explored.watched_seconds,

        -- times
        users.cohort_date
    from explored
    inner join users
        on explored.user_id = users.user_id
    inner join outcomes
        on explored.user_id = outcomes.user_id
    left join measured
        on explored.user_id = measured.user_id
    left join early_sessions
        on explored.user_id = early_sessions.user_id
)

select * from final
