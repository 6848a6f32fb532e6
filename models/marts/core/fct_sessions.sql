{{ config(materialized='view') }}

{#-
    Grain: one row per session.

    A session has the id of the event that begins its run; the further pieces of
    a run that is cut append their number, such as `e7:1`. A late event renames
    at most the run that it lands in.
-#}

with

sessions as (select * from {{ ref('int_sessions_measured') }}),

events as (select * from {{ ref('int_events_classified') }}),

users as (select * from {{ ref('int_users_started') }}),

-- A run has the id of the event that begins it.
identified as (
    select
        sessions.*,
        events.event_id as parent_session_id
    from sessions
    inner join events
        on
            sessions.user_key = events.user_key
            and sessions.run_start_number = events.event_number
),

final as (
    select
        -- keys
        {{ session_id(
            'identified.parent_session_id', 'identified.piece_number'
        ) }} as session_id,
        identified.parent_session_id,
        users.user_id,

        -- attributes
        users.platform,
        users.country_code,
        users.is_new,

        -- measures
        identified.session_number,
        identified.event_count,
        identified.play_count,
        identified.duration_seconds,

        -- times
        identified.session_date,
        identified.started_at,
        {{ add_seconds(
            'identified.started_at', 'identified.duration_seconds'
        ) }} as ended_at
    from identified
    inner join users
        on identified.user_key = users.user_key
)

select * from final
