{{ config(materialized='view') }}

{#-
    Grain: one row per event of a play: the interval of time after it, and how
    long the title may have run in it.

    An interval ends at the first of: the player's next event, or the play's
    logged end; where nothing shows that the title ran so far, the user's next
    play in any player and next run of events after a silence;
    `heartbeat_grace_seconds` after or before a beat. Events that do nothing to
    a title end none. An interval of unknown end on a title of unknown length is
    credited with nothing. The title's own end comes later: it depends on where
    the title stood.

    A play `is_continued` when it has further intervals or tells of positions or
    speeds, or when its user has two titles running at once.
-#}

with

events as (select * from {{ ref('int_events_sessionized') }}),

events_again as (select * from {{ ref('int_events_sessionized') }}),

events_once_more as (select * from {{ ref('int_events_sessionized') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

-- Plays that need more than their first interval.
continued as (
    select play_id
    from events_again
    where has_position or (is_playing and event_id <> play_id)
    group by play_id
),

-- Something else happens while the title runs, or may run.
overlapping as (
    select user_id
    from events_once_more
    where
        is_playing
        and next_event_at is not null
        and (closing_at is null or next_event_at < closing_at)
        and (
            is_shown
            or coalesce(next_event_at < least(next_play_at, next_run_at), true)
        )
    group by user_id
),

-- Only a title that stands has a length.
known_titles as (
    select
        content_id,
        duration_seconds
    from titles
    where row_verdict = 'canonical'
),

-- Every bound of an interval as seconds after its event.
timed as (
    select
        events.*,
        continued.play_id is not null or overlapping.user_id is not null
            as is_continued,
        known_titles.duration_seconds,
        {{ seconds_between('events.event_at', 'events.closing_at') }}
            as closing_seconds,
        case
            when not events.is_shown
                then {{ seconds_between(
                    'events.event_at', 'events.next_run_at'
                ) }}
        end as absence_seconds,
        case
            when not events.is_shown
                then {{ seconds_between(
                    'events.event_at', 'events.next_play_at'
                ) }}
        end as next_play_seconds,
        case
            when events.has_beat then {{ var('heartbeat_grace_seconds') }}
        end as grace_seconds
    from events
    inner join known_titles
        on events.content_id = known_titles.content_id
    left join continued
        on events.play_id = continued.play_id
    left join overlapping
        on events.user_id = overlapping.user_id
    where events.play_id is not null
),

-- The first bound that is reached, and whether any end is known.
bounded as (
    select
        *,
        least(
            closing_seconds, next_play_seconds, absence_seconds, grace_seconds
        ) as bound_seconds,
        (
            not is_shown
            and duration_seconds is null
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
        event_id,
        play_id,
        session_id,
        user_id,
        content_id,

        -- attributes
        device_type,
        is_playing,
        is_continued,
        case
            when is_of_unknown_end then 'unknown'
            when
                bound_seconds is null
                or bound_seconds > {{ var('maximum_play_seconds') }}
                then 'maximum'
            when bound_seconds = absence_seconds then 'session_end'
            when bound_seconds = closing_seconds then closing_type
            when bound_seconds = grace_seconds
                then {{ close_reason("'beats'") }}
            else 'next_play'
        end as bound_code,

        -- measures
        event_number,
        duration_seconds,
        case
            when not is_playing or is_of_unknown_end then 0
            else least(bound_seconds, {{ var('maximum_play_seconds') }})
        end as bound_seconds,

        -- times
        event_date,
        event_at
    from bounded
)

select * from final
