{#-
    Grain: one row per new user, with what was explored on the first days.

    A genre is explored by a valid play on days 0 to `genre_window_days` - 1,
    counted from first activity in calendar days. A title of several genres
    explores each of them. The window ends before the outcome begins.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

early_plays as (
    select
        plays.user_id,
        plays.content_id,
        plays.play_date,
        plays.watched_seconds
    from plays
    inner join users
        on plays.user_id = users.user_id
    where
        users.is_new
        and plays.is_valid_play
        and plays.play_date < {{ add_days(
            'users.cohort_date', var('genre_window_days')
        ) }}
),

volumes as (
    select
        user_id,
        cast(count(*) as integer) as valid_play_count,
        cast(count(distinct play_date) as integer) as active_day_count,
        cast(sum(watched_seconds) as bigint) as watched_seconds
    from early_plays
    group by user_id
),

explored as (
    select
        early_plays.user_id,
        cast(count(distinct tags.genre_name) as integer) as genre_count
    from early_plays
    inner join tags
        on early_plays.content_id = tags.content_id
    group by early_plays.user_id
),

final as (
    select
        -- keys
        users.user_id,

        -- measures
        coalesce(explored.genre_count, 0) as genre_count,
        coalesce(volumes.valid_play_count, 0) as valid_play_count,
        coalesce(volumes.active_day_count, 0) as active_day_count,
        coalesce(volumes.watched_seconds, 0) as watched_seconds
    from users
    left join volumes
        on users.user_id = volumes.user_id
    left join explored
        on users.user_id = explored.user_id
    where users.is_new
)

select * from final
