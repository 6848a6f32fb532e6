{#-
    Grain: one row per genre and genre of the next valid play that occur.

    Valid plays of a session follow one another by their beginning. From a title
    of several genres to another, each pair of their genres counts once; a title
    without a genre leads nowhere and is not led to, though it stands between.
-#}

with

plays as (select * from {{ ref('int_plays_measured') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

-- The sessions of a user follow one another: whole users are fewer to sort.
followed as (
    select
        user_key,
        run_start_number,
        piece_number,
        content_key,
        lead(run_start_number) over plays_of_user as next_run_number,
        lead(piece_number) over plays_of_user as next_piece_number,
        lead(content_key) over plays_of_user as next_content_key
    from plays
    where is_valid_play
    window
        plays_of_user as (
            partition by user_key
            order by play_number asc nulls last
        )
),

counted as (
    select
        from_tags.genre_name as from_genre_name,
        to_tags.genre_name as to_genre_name,
        count(*) as transition_count,
        count(distinct followed.user_key) as user_count
    from followed
    inner join tags as from_tags
        on followed.content_key = from_tags.content_key
    inner join tags as to_tags
        on followed.next_content_key = to_tags.content_key
    where
        followed.run_start_number = followed.next_run_number
        and followed.piece_number = followed.next_piece_number
    group by from_tags.genre_name, to_tags.genre_name
),

shared as (
    select
        *,
        sum(transition_count) over (
            partition by from_genre_name
        ) as genre_transition_count
    from counted
),

final as (
    select
        -- attributes
        from_genre_name,
        to_genre_name,

        -- measures
        cast(transition_count as integer) as transition_count,
        cast(user_count as integer) as user_count,
        {{ rate('transition_count', 'genre_transition_count') }}
            as transition_rate
    from shared
)

select * from final
