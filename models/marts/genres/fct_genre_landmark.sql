{#-
    Grain: one row per dimension, value, day of retention after the window,
    status at the landmark and number of genres explored.

    Who is compared on that day, who is left out and why. The users of a
    dimension, value and day are all new users of it.
-#}

with

diversity as (select * from {{ ref('fct_user_genres') }}),

returns as (select * from {{ ref('fct_user_returns') }}),

dimensions as (select * from {{ ref('int_users_broken_down') }}),

judged as (
    select
        returns.user_id,
        returns.from_day_number as day_number,
        diversity.genres_explored,
        {{ landmark_status('returns.is_eligible') }} as landmark_status
    from returns
    inner join diversity
        on returns.user_id = diversity.user_id
    where
        returns.retention_type = 'on_day'
        and returns.day_mode = 'calendar'
        and returns.from_day_number >= {{ var('genre_window_days') }}
),

final as (
    select
        -- attributes
        dimensions.dimension,
        dimensions.dimension_value,
        judged.landmark_status,
        judged.genres_explored,

        -- measures
        judged.day_number,
        cast(count(*) as integer) as user_count
    from judged
    inner join dimensions
        on judged.user_id = dimensions.user_id
    where dimensions.is_bounded
    group by
        dimensions.dimension,
        dimensions.dimension_value,
        judged.landmark_status,
        judged.genres_explored,
        judged.day_number
)

select * from final
