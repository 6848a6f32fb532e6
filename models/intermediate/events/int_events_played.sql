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
        content_key,
        duration_seconds
    from titles
    where row_verdict = 'canonical'
),

-- What acts on a title.
events as (
    select
        user_key,
        event_number,
        content_key,
        device_key,
        player_key,
        playback_effect,
        is_active,
        coalesce(position_seconds, playback_speed) is not null as has_position,
        event_at,
        case
            when playback_effect = 'plays' and ended_at >= event_at
                then ended_at
        end as ended_at
    from classified
    where
        row_verdict = 'canonical'
        and playback_effect <> 'none'
),

-- Which title the player had last begun, at each event.
titled as (
    select
        *,
        {{ last_known(
            "case when playback_effect = 'plays' then content_key end", 'so_far'
        ) }} as played_content_key
    from events
    window
        so_far as (
            partition by user_key, player_key
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

-- An event about another title is a stray.
placed as (
    select
        *,
        coalesce(played_content_key = content_key, false) as is_of_play
    from titled
),

-- A stray ends nothing: the others are each other's neighbours.
neighbours as (
    select
        *,
        lag(event_at) over events_of_player as previous_event_at,
        lag(content_key) over events_of_player as previous_content_key,
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
            partition by user_key, player_key, is_of_play
            order by event_number asc nulls last
        ),
        earlier_events as (
            partition by user_key, player_key, is_of_play
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
                and previous_content_key = content_key
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
        {{ last_known('case when is_opening then event_number end', 'so_far') }}
            as opening_number,
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
            partition by user_key, player_key, is_of_play
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

-- What ends the time after each event.
closed as (
    select
        states.user_key,
        states.event_number,
        case when states.is_of_play then states.opening_number end
            as play_number,
        states.content_key,
        states.device_key,
        states.playback_effect,
        states.is_active,
        coalesce(
            states.is_of_play
            and (
                states.state_name = 'plays'
                or (
                    states.state_name = 'timed'
                    and states.playback_effect = 'plays'
                )
            ),
            false
        ) as is_playing,
        states.is_followed or states.ended_at is not null as is_shown,
        (
            states.playback_effect = 'beats'
            or (
                states.is_followed
                and states.ended_at is null
                and states.next_effect = 'beats'
            )
        ) as has_beat,
        case
            when states.ended_at is not null then 'ended'
            when states.is_followed
                then {{ close_reason('states.next_effect') }}
            when states.next_event_at is not null then 'next_play'
        end as closing_type,
        states.has_position,
        known_titles.duration_seconds,
        states.event_at,
        coalesce(states.ended_at, states.next_event_at) as closing_at
    from states
    inner join known_titles
        on states.content_key = known_titles.content_key
),

-- Events that do nothing to a title.
neutral as (
    select
        user_key,
        event_number,
        cast(null as integer) as play_number,
        content_key,
        device_key,
        playback_effect,
        is_active,
        false as is_playing,
        false as is_shown,
        false as has_beat,
        cast(null as {{ data_type('varchar') }}) as closing_type,
        false as has_position,
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
        user_key,
        event_number,
        play_number,
        content_key,
        device_key,

        -- attributes
        playback_effect,
        is_active,
        is_playing,
        is_shown,
        has_beat,
        closing_type,
        has_position,

        -- measures
        duration_seconds,

        -- times
        event_at,
        closing_at
    from united
)

select * from final
