{{ config(materialized='view') }}

{#-
    Grain: one row per canonical event, numbered into sessions.

    A run of events ends when its user has been silent for longer than
    `session_gap_seconds`; a silence of exactly that long does not end it. A
    title that is shown to run is not silence: from a play until the event that
    shows it went on (one of its own that pauses, skips, stops, seeks or beats),
    or its logged end, but no longer than the title or `maximum_play_seconds`
    last.

    Every event is activity, also one that does nothing to a title, such as a
    search: sessions are runs of all of them. What an open-ended play is bounded
    by are runs of the others alone, so that a play's seconds never depend on
    what does nothing to it.

    A run is one session, unless it lasts longer than
    `maximum_session_seconds`, where it is cut at every multiple of that since
    its start, or meets midnight while `session_midnight` is `split`. A run is
    known by the number of its first event, so a late event renames at most the
    run that it lands in, and a session by its run and its piece of it.
-#}

{%- if var('session_midnight') not in ['cross', 'split'] %}
    {{ exceptions.raise_compiler_error(
        "session_midnight is '" ~ var('session_midnight')
        ~ "'. Write cross or split."
    ) }}
{%- endif %}

with

played as (select * from {{ ref('int_events_played') }}),

-- How long the title was shown to run after each event: that is no silence. The
-- windows below carry numbers for words, and of the title's length only whether
-- it has one.
shown as (
    select
        user_key,
        event_number,
        play_number,
        content_key,
        device_key,
        {{ number_of_word('playback_effect') }} as effect,
        playback_effect <> 'none' as has_effect,
        is_active,
        is_playing,
        is_shown,
        has_beat,
        {{ number_of_word('closing_type') }} as closing,
        has_position,
        duration_seconds is not null as has_duration,
        event_at,
        closing_at,
        case
            when is_playing and is_shown
                then {{ add_seconds(
                    'event_at',
                    'least('
                    ~ seconds_between('event_at', 'closing_at')
                    ~ ', duration_seconds, '
                    ~ var('maximum_play_seconds')
                    ~ ', case when has_beat then '
                    ~ var('heartbeat_grace_seconds') ~ ' end)'
                ) }}
            else event_at
        end as shown_until_at
    from played
),

-- What came before each event, and until when a title was shown to run. A
-- running maximum costs more than all the rest of a window: there is one.
earlier as (
    select
        *,
        lag(event_at) over events_of_user as previous_event_at,
        max(case when has_effect then shown_until_at end) over earlier_events
            as unplayed_from_at
    from shown
    window
        events_of_user as (
            partition by user_key
            order by event_number asc nulls last
        ),
        earlier_events as (
            partition by user_key
            order by event_number asc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

-- The silence before each event, by whichever device ran longest; an event
-- without effect ends it at once.
silences as (
    select
        *,
        greatest(previous_event_at, unplayed_from_at) as silent_from_at
    from earlier
),

-- A silence beyond the gap begins a run.
breaks as (
    select
        *,
        -- A user's first event has no silence before it.
        coalesce(
            {{ seconds_between('silent_from_at', 'event_at') }}
            > {{ var('session_gap_seconds') }},
            true
        ) as is_run_start,
        (
            has_effect
            and coalesce(
                {{ seconds_between('unplayed_from_at', 'event_at') }}
                > {{ var('session_gap_seconds') }},
                true
            )
        ) as is_playback_start
    from silences
),

-- Each event's run, and where the next run and play begin.
runs as (
    select
        *,
        {{ last_known(
            'case when is_run_start then event_number end', 'so_far'
        ) }} as run_start_number,
        {{ last_known('case when is_run_start then event_at end', 'so_far') }}
            as run_started_at,
        {{ next_known(
            'case when has_effect then event_at end',
            'later_events',
            'events_in_reverse'
        ) }} as next_event_at,
        {{ next_known(
            'case when is_playback_start then event_at end',
            'later_events',
            'events_in_reverse'
        ) }} as next_run_at,
        {{ next_known(
            'case when event_number = play_number then event_at end',
            'later_events',
            'events_in_reverse'
        ) }} as next_play_at
    from breaks
    window
        so_far as (
            partition by user_key
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        ),
        later_events as (
            partition by user_key
            order by event_number asc nulls last
            rows between 1 following and unbounded following
        ),
        events_in_reverse as (
            partition by user_key
            order by event_number desc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

-- A run that lasts too long, or meets midnight, is cut.
pieces as (
    select
        *,
        coalesce(
            floor(
                {{ seconds_between('run_started_at', 'event_at') }}
                / nullif({{ var('maximum_session_seconds') }}, 0)
            ),
            0
        )
        + case
            when '{{ var("session_midnight") }}' = 'split'
                then {{ days_between(
                    local_date('run_started_at'), local_date('event_at')
                ) }}
            else 0
        end as piece_number,
        coalesce(
            floor(
                {{ seconds_between('run_started_at', 'previous_event_at') }}
                / nullif({{ var('maximum_session_seconds') }}, 0)
            ),
            0
        )
        + case
            when '{{ var("session_midnight") }}' = 'split'
                then {{ days_between(
                    local_date('run_started_at'), local_date('previous_event_at')
                ) }}
            else 0
        end as previous_piece_number
    from runs
),

final as (
    select
        -- keys
        user_key,
        event_number,
        run_start_number,
        cast(piece_number as integer) as piece_number,
        play_number,
        content_key,
        device_key,

        -- attributes
        {{ word_of_number('playback_effect', 'effect') }} as playback_effect,
        is_active,
        is_run_start or piece_number > previous_piece_number
            as is_session_start,
        is_playing,
        is_shown,
        has_beat,
        {{ word_of_number('closing_type', 'closing') }} as closing_type,
        has_position,
        has_duration,

        -- times
        {{ local_date('event_at') }} as event_date,
        event_at,
        closing_at,
        shown_until_at,
        next_event_at,
        next_run_at,
        next_play_at
    from pieces
)

select * from final
