{#- Grain: one row per session. -#}

with

events as (select * from {{ ref('int_events_sessionized') }}),

users as (select * from {{ ref('int_users_started') }}),

sessions as (
    select
        session_id,
        parent_session_id,
        user_id,
        session_number,
        count(*) as event_count,
        count(*) filter (where event_id = play_id) as play_count,
        min(event_date) as session_date,
        min(event_at) as started_at,
        max(shown_until_at) as ended_at
    from events
    group by session_id, parent_session_id, user_id, session_number
),

final as (
    select
        -- keys
        sessions.session_id,
        sessions.parent_session_id,
        sessions.user_id,

        -- attributes
        users.platform,
        users.country_code,
        users.is_new,

        -- measures
        sessions.session_number,
        cast(sessions.event_count as integer) as event_count,
        cast(sessions.play_count as integer) as play_count,
        {{ seconds_between('sessions.started_at', 'sessions.ended_at') }}
            as duration_seconds,

        -- times
        sessions.session_date,
        sessions.started_at,
        sessions.ended_at
    from sessions
    inner join users
        on sessions.user_id = users.user_id
)

select * from final
