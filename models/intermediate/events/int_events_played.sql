{{ config(materialized='view') }}

{#-
    Grain: one row per canonical event, put to the play that it belongs to.

    What an event does to its title is its type's effect, of `event_types.csv`.
    A player is one of the user's, by `player_id` or else by kind of device. An
    event that `plays` opens a play, unless it resumes its own title within
    `session_gap_seconds` of one that `pauses`. Others belong to the player's
    latest play when they are about its title; otherwise they are strays, which
    belong to no play and change none: players tell of the end of one title
    after the beginning of the next. Events without effect are no player's: they
    belong to no play, and no other event has them before it or after it.

    After an event the title runs, `is_playing`, until the player's next event
    that is no stray: after one that `plays`, and after one that `seeks` or
    `beats` while it ran. That it ran all the while `is_shown` when that event
    is about the same play; a beat later than `session_gap_seconds` shows an app
    that woke up, not a title that ran. After an event that `plays` and was
    logged with its end, the title ran until then.
-#}

with

classified as (select * from {{ ref('int_events_classified') }}),

classified_again as (select * from {{ ref('int_events_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

-- Only a title that stands has a length.
known_titles as (
    select
        content_id,
        duration_seconds
    from titles
    where row_verdict = 'canonical'
),

-- What acts on a title, with the player that it is told by.
events as (
    select
        classified.event_id,
        classified.user_id,
        classified.content_id,
        classified.event_type,
        classified.playback_effect,
        classified.device_type,
        classified.is_active,
        coalesce(classified.player_id, classified.device_type) as player_id,
        coalesce(
            classified.position_seconds, classified.playback_speed
        ) is not null as has_position,
        classified.event_number,
        known_titles.duration_seconds,
        classified.event_at,
        case
            when
                classified.playback_effect = 'plays'
                and classified.ended_at >= classified.event_at
                then classified.ended_at
        end as ended_at
    from classified
    inner join known_titles
        on classified.content_id = known_titles.content_id
    where
        classified.row_verdict = 'canonical'
        and classified.playback_effect <> 'none'
),

-- Which title the player had last begun, at each event.
titled as (
    select
        *,
        {{ last_known(
            "case when playback_effect = 'plays' then content_id end", 'so_far'
        ) }} as played_content_id
    from events
    window
        so_far as (
            partition by user_id, player_id
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

-- An event about another title is a stray.
placed as (
    select
        *,
        coalesce(played_content_id = content_id, false) as is_of_play
    from titled
),

-- Strays and the others are followed apart: a stray ends nothing.
neighbours as (
    select
        *,
        lag(event_at) over events_of_player as previous_event_at,
        lag(content_id) over events_of_player as previous_content_id,
        lead(event_at) over events_of_player as next_event_at,
        lead(playback_effect) over events_of_player as next_effect,
        -- What the player was last told to do.
        {{ last_known(
            "case when playback_effect not in ('seeks', 'beats')"
            " then playback_effect end",
            'earlier_events'
        ) }} as told_effect
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

-- Whether the event begins a play, wakes an app up, or is followed by one
-- of the same play.
told as (
    select
        *,
        (
            playback_effect = 'plays'
            and not coalesce(
                told_effect = 'pauses'
                and previous_content_id = content_id
                and {{ seconds_between('previous_event_at', 'event_at') }}
                <= {{ var('session_gap_seconds') }},
                false
            )
        ) as is_opening,
        (
            playback_effect = 'beats'
            and coalesce(
                {{ seconds_between('previous_event_at', 'event_at') }}
                > {{ var('session_gap_seconds') }},
                true
            )
        ) as is_awakening,
        coalesce(
            is_of_play
            and next_effect <> 'plays'
            and not (
                next_effect = 'beats'
                and {{ seconds_between('event_at', 'next_event_at') }}
                > {{ var('session_gap_seconds') }}
            ),
            false
        ) as is_followed
    from neighbours
),

-- The state that the latest telling event left the player in.
states as (
    select
        *,
        {{ last_known('case when is_opening then event_id end', 'so_far') }}
            as opening_id,
        {{ last_known(
            "case"
            " when is_awakening then 'lost'"
            " when playback_effect = 'plays' and ended_at is not null"
            " then 'timed'"
            " when playback_effect in ('seeks', 'beats') then null"
            " else playback_effect end",
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

-- What ends the time after each event.
closed as (
    select
        event_id,
        case when is_of_play then opening_id end as play_id,
        user_id,
        content_id,
        event_type,
        playback_effect,
        device_type,
        is_active,
        coalesce(
            is_of_play
            and (
                state_name = 'plays'
                or (state_name = 'timed' and playback_effect = 'plays')
            ),
            false
        ) as is_playing,
        is_followed or ended_at is not null as is_shown,
        (
            playback_effect = 'beats'
            or (is_followed and ended_at is null and next_effect = 'beats')
        ) as has_beat,
        case
            when ended_at is not null then 'ended'
            when is_followed then {{ close_reason('next_effect') }}
            when next_event_at is not null then 'next_play'
        end as closing_type,
        has_position,
        event_number,
        duration_seconds,
        event_at,
        coalesce(ended_at, next_event_at) as closing_at
    from states
),

-- Events that do nothing to a title.
neutral as (
    select
        event_id,
        cast(null as {{ data_type('varchar') }}) as play_id,
        user_id,
        content_id,
        event_type,
        playback_effect,
        device_type,
        is_active,
        false as is_playing,
        false as is_shown,
        false as has_beat,
        cast(null as {{ data_type('varchar') }}) as closing_type,
        false as has_position,
        event_number,
        cast(null as {{ data_type('double') }}) as duration_seconds,
        event_at,
        cast(null as {{ data_type('timestamp') }}) as closing_at
    from classified_again
    where
        row_verdict = 'canonical'
        and playback_effect = 'none'
),

-- Both kinds together, so that sessions see all of a user's events.
united as (
    select * from closed
    union all
    select * from neutral
),

final as (
    select
        -- keys
        event_id,
        play_id,
        user_id,
        content_id,

        -- attributes
        event_type,
        playback_effect,
        device_type,
        is_active,
        is_playing,
        is_shown,
        has_beat,
        closing_type,
        has_position,

        -- measures
        event_number,
        duration_seconds,

        -- times
        event_at,
        closing_at
    from united
)

select * from final
