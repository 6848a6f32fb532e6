{#-
    Grain: one row per user and milestone reached.

    The users are those known to have signed up on an observed day. Where the
    sign-up is unknown, nobody can say who signed up and never played, so such a
    user has no milestones. Events from before the sign-up are rejected earlier,
    so no milestone precedes it. A genre is explored by a valid play; the second
    one is reached by the first valid play of a title with two. The return is
    the first event of an active type on the calendar day after first activity,
    such as a play of any length, be it one that resumes: as for retention.

    One play may reach several milestones; they then stand in the order of
    their ids, which is the order above.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

events as (select * from {{ ref('int_events_bounded') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

entrants as (
    select
        user_id,
        user_key,
        signed_up_at,
        {{ add_days('cohort_date', 1) }} as return_date
    from users
    where signed_up_at is not null and not is_established
),

first_plays as (
    select
        entrants.user_id,
        min(plays.started_at) as first_valid_play_at
    from entrants
    inner join plays
        on entrants.user_key = plays.user_key
    where plays.is_valid_play
    group by entrants.user_id
),

returns as (
    select
        entrants.user_id,
        min(events.event_at) as day_1_return_at
    from entrants
    inner join events
        on
            entrants.user_key = events.user_key
            and entrants.return_date = events.event_date
    where events.is_active
    group by entrants.user_id
),

explored as (
    select
        entrants.user_id,
        tags.genre_name,
        min(plays.started_at) as explored_at
    from entrants
    inner join plays
        on entrants.user_key = plays.user_key
    inner join tags
        on plays.content_key = tags.content_key
    where plays.is_valid_play
    group by entrants.user_id, tags.genre_name
),

genres_numbered as (
    select
        user_id,
        explored_at,
        row_number() over (
            partition by user_id
            order by explored_at asc nulls last, genre_name asc nulls last
        ) as genre_number
    from explored
),

reached as (
    select
        user_id,
        1 as milestone_number,
        'signed_up' as event_name,
        signed_up_at as event_at
    from entrants
    union all
    select
        user_id,
        2 as milestone_number,
        'first_valid_play' as event_name,
        first_valid_play_at as event_at
    from first_plays
    union all
    select
        user_id,
        3 as milestone_number,
        'second_genre' as event_name,
        explored_at as event_at
    from genres_numbered
    where genre_number = 2
    union all
    select
        user_id,
        4 as milestone_number,
        'day_1_return' as event_name,
        day_1_return_at as event_at
    from returns
),

final as (
    select
        -- keys
        user_id || ':' || cast(milestone_number as {{ data_type('varchar') }})
            as event_id,
        user_id,

        -- attributes
        event_name,

        -- times
        event_at
    from reached
    where event_at is not null
)

select * from final
