{{ config(meta={'cut_by': 'user_key', 'event_bytes': 250}) }}

{#-
    Grain: one row per canonical event, with its play, its session, and the
    interval of time after it: how long the title may have run in it.

    An interval ends at the first of: the player's next event, or the play's
    logged end; where nothing shows that the title ran so far, the user's next
    play in any player and next run of events after a silence;
    `heartbeat_grace_seconds` after or before a beat. Events that do nothing to
    a title end none. An interval of unknown end on a title of unknown length is
    credited with nothing. The title's own end comes later: it depends on where
    the title stood.

    This is the one table of events that models above read: what it took to get
    here (neighbours, next times) is not kept.
-#}

with

events as (select * from {{ ref('int_events_sessionized') }}),

-- Every bound of an interval as seconds after its event.
timed as (
    select
        *,
        {{ seconds_between('event_at', 'closing_at') }} as closing_seconds,
        case
            when not is_shown
                then {{ seconds_between('event_at', 'next_run_at') }}
        end as absence_seconds,
        case
            when not is_shown
                then {{ seconds_between('event_at', 'next_play_at') }}
        end as next_play_seconds,
        case when has_beat then {{ var('heartbeat_grace_seconds') }} end
            as grace_seconds
    from events
),

-- The first bound that is reached, and whether any end is known.
bounded as (
    select
        *,
        least(
            closing_seconds, next_play_seconds, absence_seconds, grace_seconds
        ) as first_bound_seconds,
        (
            not is_shown
            and not has_duration
            and grace_seconds is null
            -- Within the run, that is.
            and not coalesce(
                next_play_seconds < absence_seconds,
                next_play_seconds is not null
            )
        ) as is_of_unknown_end
    from timed
),

final as (
    select
        -- keys
        user_key,
        event_number,
        run_start_number,
        piece_number,
        play_number,
        content_key,
        device_key,

        -- attributes
        playback_effect,
        is_active,
        is_session_start,
        is_playing,
        is_playing and is_shown as is_shown,
        has_position,
        -- Something else happens while the title runs, or may run.
        (
            is_playing
            and next_event_at is not null
            and (closing_at is null or next_event_at < closing_at)
            and (
                is_shown
                or coalesce(
                    next_event_at < least(next_play_at, next_run_at), true
                )
            )
        ) as is_overlapped,
        case
            when play_number is null then null
            when is_of_unknown_end then 'unknown'
            when
                first_bound_seconds is null
                or first_bound_seconds > {{ var('maximum_play_seconds') }}
                then 'maximum'
            when first_bound_seconds = absence_seconds then 'session_end'
            when first_bound_seconds = closing_seconds then closing_type
            when first_bound_seconds = grace_seconds
                then {{ close_reason("'beats'") }}
            else 'next_play'
        end as bound_code,

        -- measures
        case
            when not is_playing or is_of_unknown_end then 0
            else least(first_bound_seconds, {{ var('maximum_play_seconds') }})
        end as bound_seconds,

        -- times
        event_date,
        event_at
    from bounded
)

select * from final
