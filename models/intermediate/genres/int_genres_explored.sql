{#-
    Grain: one row per new user, with what was explored on the first days.

    A genre is explored by a valid play on days 0 to `genre_window_days` - 1,
    counted from first activity in calendar days. A title of several genres
    explores each of them. The window ends before the outcome begins.

    Two further counts show what the first is worth: genres under a shuffled
    map of titles, which can have no effect, and genres up to the outcome day
    itself, which whoever comes back has had more time to collect.

    Whoever has too few plays to reach `explorer_genre_count` genres, even with
    the titles of most genres, has not had the choice.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

shuffled_tags as (select * from {{ ref('int_titles_shuffled') }}),

user_genres as (select * from {{ ref('int_user_genres_counted') }}),

tagged as (
    select
        content_key,
        count(*) as genre_count
    from tags
    group by content_key
),

widest as (
    select max(genre_count) as genre_count
    from tagged
),

early_plays as (
    select
        users.user_id,
        plays.content_key,
        plays.play_date,
        plays.watched_seconds,
        tagged.content_key is null as is_of_unknown_genre
    from plays
    inner join users
        on plays.user_key = users.user_key
    left join tagged
        on plays.content_key = tagged.content_key
    where
        users.is_new
        and plays.is_valid_play
        and plays.play_date >= users.cohort_date
        and plays.play_date < {{ add_days(
            'users.cohort_date', var('genre_window_days')
        ) }}
),

volumes as (
    select
        user_id,
        cast(count(*) as integer) as valid_play_count,
        cast(count(*) filter (where is_of_unknown_genre) as integer)
            as unknown_genre_play_count,
        cast(count(distinct play_date) as integer) as active_day_count,
        cast(sum(watched_seconds) as bigint) as watched_seconds
    from early_plays
    group by user_id
),

explored as (
    select
        user_id,
        cast(count(*) filter (where early_play_count > 0) as integer)
            as genre_count,
        cast(count(*) as integer) as overlapping_genre_count
    from user_genres
    group by user_id
),

shuffled as (
    select
        early_plays.user_id,
        cast(count(distinct shuffled_tags.genre_name) as integer)
            as shuffled_genre_count
    from early_plays
    inner join shuffled_tags
        on early_plays.content_key = shuffled_tags.content_key
    group by early_plays.user_id
),

final as (
    select
        -- keys
        users.user_id,

        -- attributes
        coalesce(
            volumes.valid_play_count >= {{ var('explorer_play_count') }}
            and volumes.valid_play_count * widest.genre_count
            >= {{ var('explorer_genre_count') }},
            false
        ) as has_enough_plays,

        -- measures
        coalesce(explored.genre_count, 0) as genre_count,
        coalesce(shuffled.shuffled_genre_count, 0) as shuffled_genre_count,
        coalesce(explored.overlapping_genre_count, 0)
            as overlapping_genre_count,
        coalesce(volumes.valid_play_count, 0) as valid_play_count,
        coalesce(volumes.unknown_genre_play_count, 0)
            as unknown_genre_play_count,
        coalesce(volumes.active_day_count, 0) as active_day_count,
        coalesce(volumes.watched_seconds, 0) as watched_seconds
    from users
    cross join widest
    left join volumes
        on users.user_id = volumes.user_id
    left join explored
        on users.user_id = explored.user_id
    left join shuffled
        on users.user_id = shuffled.user_id
    where users.is_new
)

select * from final
