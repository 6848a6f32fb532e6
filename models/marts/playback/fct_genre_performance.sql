{#-
    Grain: one row per genre, also of one that nobody has played.

    A title of several genres counts in each of them, so genres do not add up.
    Users count once in a genre, with however many of its titles: starters have
    a valid play of one, completers a valid play that completed one. The rate is
    of the starters of titles whose length is known.
-#}

with

tags as (select * from {{ ref('int_titles_tagged') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

genres as (
    select
        genre_name,
        count(*) as title_count
    from tags
    group by genre_name
),

counted as (
    select
        tags.genre_name,
        count(*) as play_count,
        count(*) filter (where plays.is_valid_play) as valid_play_count,
        count(*) filter (where plays.is_skipped) as skipped_play_count,
        count(distinct plays.user_key) filter (where plays.is_valid_play)
            as starter_users,
        count(distinct plays.user_key) filter (
            where plays.is_valid_play and plays.has_duration
        ) as measured_users,
        count(distinct plays.user_key) filter (
            where plays.is_valid_play and plays.is_completed
        ) as completer_users,
        sum(plays.watched_seconds) as watched_seconds,
        sum(cast(floor(plays.seen_seconds) as bigint)) as unique_seconds
    from plays
    inner join tags
        on plays.content_key = tags.content_key
    group by tags.genre_name
),

filled as (
    select
        genres.genre_name,
        cast(genres.title_count as integer) as title_count,
        cast(coalesce(counted.play_count, 0) as integer) as play_count,
        cast(coalesce(counted.valid_play_count, 0) as integer)
            as valid_play_count,
        cast(coalesce(counted.skipped_play_count, 0) as integer)
            as skipped_play_count,
        cast(coalesce(counted.starter_users, 0) as integer) as starter_users,
        coalesce(counted.measured_users, 0) as measured_users,
        cast(coalesce(counted.completer_users, 0) as integer)
            as completer_users,
        cast(coalesce(counted.watched_seconds, 0) as bigint) as watched_seconds,
        cast(coalesce(counted.unique_seconds, 0) as bigint) as unique_seconds
    from genres
    left join counted
        on genres.genre_name = counted.genre_name
),

final as (
    select
        -- attributes
        genre_name,

        -- measures
        title_count,
        play_count,
        valid_play_count,
        skipped_play_count,
        starter_users,
        completer_users,
        watched_seconds,
        unique_seconds,
        {{ rate('skipped_play_count', 'play_count') }} as skip_rate,
        {{ rate('completer_users', 'measured_users') }} as completer_rate,
        {{ wilson_bound('completer_users', 'measured_users', 'low') }}
            as completer_ci_low,
        {{ wilson_bound('completer_users', 'measured_users', 'high') }}
            as completer_ci_high
    from filled
)

select * from final
