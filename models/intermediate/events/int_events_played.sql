{{ config(materialized='view') }}

{#-
    Grain: one row per canonical event, put to the play that it belongs to.

    A player is one of the user's, by `player_id` or else by kind of device. A
    `play` opens a play, unless it resumes its own title within
    `session_gap_seconds` of a pause. Other events belong to the player's latest
    play when they are about its title; otherwise they are strays, which belong
    to no play and change none: players tell of the end of one title after the
    beginning of the next.

    After an event the title runs, `is_playing`, until the player's next event
    that is no stray: after a `play`, and after a `seek` or `heartbeat` while it
    ran. That it ran all the while `is_shown` when that event is about the same
    play; a heartbeat later than `session_gap_seconds` shows an app that woke
    up, not a title that ran. After a `play` that was logged with its end, the
    title ran until then.
-#}

with

classified as (select * from {{ ref('int_events_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

known_titles as (
    select
        content_id,
        duration_seconds
    from titles
    where row_verdict = 'canonical'
),

events as (
    select
        classified.event_id,
        classified.user_id,
        classified.content_id,
        classified.event_type,
        classified.device_type,
        coalesce(classified.player_id, classified.device_type) as player_id,
        coalesce(
            classified.position_seconds, classified.playback_speed
        ) is not null as has_position,
        classified.event_number,
        known_titles.duration_seconds,
        classified.event_at,
        case
            when
                classified.event_type = 'play'
                and classified.ended_at >= classified.event_at
                then classified.ended_at
        end as ended_at
    from classified
    inner join known_titles
        on classified.content_id = known_titles.content_id
    where classified.row_verdict = 'canonical'
),

titled as (
    select
        *,
        {{ last_known(
            "case when event_type = 'play' then content_id end", 'so_far'
        ) }} as played_content_id
    from events
    window
        so_far as (
            partition by user_id, player_id
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

placed as (
    select
        *,
        coalesce(played_content_id = content_id, false) as is_of_play
    from titled
),

neighbours as (
    select
        *,
        lag(event_at) over events_of_player as previous_event_at,
        lag(content_id) over events_of_player as previous_content_id,
        lead(event_at) over events_of_player as next_event_at,
        lead(event_type) over events_of_player as next_event_type,
        -- What the player was last told to do.
        {{ last_known(
            "case when event_type not in ('seek', 'heartbeat')"
            " then event_type end",
            'earlier_events'
        ) }} as told_type
    from placed
    window
        events_of_player as (
            partition by user_id, player_id, is_of_play
            order by event_number asc nulls last
        ),
        earlier_events as (
            partition by user_id, player_id, is_of_play
            order by event_number asc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

told as (
    select
        *,
        (
            event_type = 'play'
            and not coalesce(
                told_type = 'pause'
                and previous_content_id = content_id
                and {{ seconds_between('previous_event_at', 'event_at') }}
                <= {{ var('session_gap_seconds') }},
                false
            )
        ) as is_opening,
        (
            event_type = 'heartbeat'
            and coalesce(
                {{ seconds_between('previous_event_at', 'event_at') }}
                > {{ var('session_gap_seconds') }},
                true
            )
        ) as is_awakening,
        coalesce(
            is_of_play
            and next_event_type <> 'play'
            and not (
                next_event_type = 'heartbeat'
                and {{ seconds_between('event_at', 'next_event_at') }}
                > {{ var('session_gap_seconds') }}
            ),
            false
        ) as is_followed
    from neighbours
),

states as (
    select
        *,
        {{ last_known('case when is_opening then event_id end', 'so_far') }}
            as opening_id,
        {{ last_known(
            "case"
            " when is_awakening then 'lost'"
            " when event_type = 'play' and ended_at is not null then 'timed'"
            " when event_type in ('seek', 'heartbeat') then null"
            " else event_type end",
            'so_far'
        ) }} as state_name
    from told
    window
        so_far as (
            partition by user_id, player_id, is_of_play
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

final as (
    select
        -- keys
        event_id,
        case when is_of_play then opening_id end as play_id,
        user_id,
        content_id,

        -- attributes
        event_type,
        device_type,
        coalesce(
            is_of_play
            and (
                state_name = 'play'
                or (state_name = 'timed' and event_type = 'play')
            ),
            false
        ) as is_playing,
        is_followed or ended_at is not null as is_shown,
        case
            when ended_at is not null then 'ended'
            when is_followed then next_event_type
            when next_event_at is not null then 'next_play'
        end as closing_type,
        has_position,

        -- measures
        event_number,
        duration_seconds,

        -- times
        event_at,
        coalesce(ended_at, next_event_at) as closing_at
    from states
)

select * from final
