{#-
    Grain: one row per new user and genre with a valid play on days 0 to
    `genre_outcome_day`.

    The first days are those before `genre_window_days`. A play of a title of
    several genres counts for each of them; its weight is shared out among them
    equally. Weights are whole 720,720ths of a play, which 1 to 16 genres share
    without a remainder, so that no sum depends on the order of its rows.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

widths as (
    select
        content_key,
        count(*) as genre_count
    from tags
    group by content_key
),

valid_plays as (
    select
        users.user_id,
        plays.content_key,
        plays.play_date < {{ add_days(
            'users.cohort_date', var('genre_window_days')
        ) }} as is_early
    from plays
    inner join users
        on plays.user_key = users.user_key
    where
        users.is_new
        and plays.is_valid_play
        and plays.play_date >= users.cohort_date
        and plays.play_date <= {{ add_days(
            'users.cohort_date', var('genre_outcome_day')
        ) }}
),

final as (
    select
        -- keys
        valid_plays.user_id,

        -- attributes
        tags.genre_name,

        -- measures
        cast(count(*) as integer) as valid_play_count,
        cast(count(*) filter (where valid_plays.is_early) as integer)
            as early_play_count,
        cast(
            sum(
                case
                    when valid_plays.is_early
                        then cast(
                            floor({{ rate('720720', 'widths.genre_count') }})
                            as bigint
                        )
                    else 0
                end
            ) as bigint
        ) as early_weight
    from valid_plays
    inner join tags
        on valid_plays.content_key = tags.content_key
    inner join widths
        on valid_plays.content_key = widths.content_key
    group by valid_plays.user_id, tags.genre_name
)

select * from final
