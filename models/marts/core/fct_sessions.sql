{#-
    Grain: one row per session.

    A session lasts while something of it is shown to run. Where one was cut,
    a piece lasts until the next one at most, and a title that was running goes
    on in that: the pieces add up to the whole and nobody is in two at once.
-#}

with

events as (select * from {{ ref('int_events_sessionized') }}),

users as (select * from {{ ref('int_users_started') }}),

sessions as (
    select
        session_id,
        min(parent_session_id) as parent_session_id,
        min(user_id) as user_id,
        count(*) as event_count,
        count(*) filter (where event_id = play_id) as play_count,
        min(event_date) as session_date,
        min(event_at) as started_at,
        max(shown_until_at) as shown_until_at
    from events
    group by session_id
),

numbered as (
    select
        *,
        row_number() over sessions_of_user as session_number,
        -- What was shown before a silence is over: this looks back to where
        -- the session was cut, and no further.
        least(
            max(shown_until_at) over sessions_so_far,
            lead(started_at) over sessions_of_user
        ) as ended_at
    from sessions
    window
        sessions_of_user as (
            partition by user_id
            order by started_at asc nulls last, session_id asc nulls last
        ),
        sessions_so_far as (
            partition by user_id
            order by started_at asc nulls last, session_id asc nulls last
            rows between unbounded preceding and current row
        )
),

final as (
    select
        -- keys
        numbered.session_id,
        numbered.parent_session_id,
        numbered.user_id,

        -- attributes
        users.platform,
        users.country_code,
        users.is_new,

        -- measures
        cast(numbered.session_number as integer) as session_number,
        cast(numbered.event_count as integer) as event_count,
        cast(numbered.play_count as integer) as play_count,
        {{ seconds_between('numbered.started_at', 'numbered.ended_at') }}
            as duration_seconds,

        -- times
        numbered.session_date,
        numbered.started_at,
        numbered.ended_at
    from numbered
    inner join users
        on numbered.user_id = users.user_id
)

select * from final
