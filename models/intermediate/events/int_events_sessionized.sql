{{ config(materialized='view') }}

{#-
    Grain: one row per canonical event, numbered into sessions.

    An event opens a session when its user has been silent for longer than
    `session_gap_seconds`; a silence of exactly that long does not, nor does
    midnight. The session's id is its first event's, so a late event renames
    at most the session it lands in. Events at the same instant are ordered by
    their id.
-#}

with

classified as (select * from {{ ref('int_events_classified') }}),

silences as (
    select
        event_id,
        user_id,
        content_id,
        event_type,
        device_type,
        event_at,
        lag(event_at) over events_of_user as previous_event_at,
        lead(event_at) over events_of_user as next_event_at
    from classified
    where row_verdict = 'canonical'
    window
        events_of_user as (
            partition by user_id
            order by event_at asc nulls last, event_id asc nulls last
        )
),

openings as (
    select
        *,
        -- A user's first event has no silence before it.
        coalesce(
            {{ seconds_between('previous_event_at', 'event_at') }}
            > {{ var('session_gap_seconds') }},
            true
        ) as is_session_start,
        coalesce(
            {{ seconds_between('event_at', 'next_event_at') }}
            > {{ var('session_gap_seconds') }},
            true
        ) as is_session_end
    from silences
),

numbered as (
    select
        *,
        sum(case when is_session_start then 1 else 0 end) over so_far
            as session_number,
        {{ last_known('case when is_session_start then event_id end') }}
            over so_far as session_id
    from openings
    window
        so_far as (
            partition by user_id
            order by event_at asc nulls last, event_id asc nulls last
            rows between unbounded preceding and current row
        )
),

final as (
    select
        -- keys
        event_id,
        session_id,
        user_id,
        content_id,

        -- attributes
        event_type,
        device_type,
        is_session_start,
        is_session_end,

        -- measures
        cast(session_number as integer) as session_number,

        -- times
        {{ local_date('event_at') }} as event_date,
        event_at,
        next_event_at
    from numbered
)

select * from final
