{#-
    Grain: one row per title, also of one that nobody has played.

    Starters chose the title: they have a valid play of it. Completers are the
    starters who have a completed play of it. Users count once, however often
    they come back. Of a title of unknown length nobody knows who completed it:
    it has no rate.
-#}

with

titles as (select * from {{ ref('int_titles_classified') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

counted as (
    select
        content_key,
        count(*) as play_count,
        count(*) filter (where is_valid_play) as valid_play_count,
        count(*) filter (where is_skipped) as skipped_play_count,
        count(distinct user_key) filter (where is_valid_play) as starter_users,
        count(distinct user_key) filter (
            where is_valid_play and has_duration
        ) as measured_users,
        count(distinct user_key) filter (
            where is_valid_play and is_completed
        ) as completer_users,
        sum(watched_seconds) as watched_seconds,
        sum(cast(floor(seen_seconds) as bigint)) as unique_seconds
    from plays
    group by content_key
),

filled as (
    select
        titles.content_id,
        titles.title,
        titles.genre_names,
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
    from titles
    left join counted
        on titles.content_key = counted.content_key
    where titles.row_verdict = 'canonical'
),

final as (
    select
        -- keys
        content_id,

        -- attributes
        title,
        genre_names,

        -- measures
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
