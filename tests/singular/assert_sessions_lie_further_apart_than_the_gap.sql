{#-
    No two sessions of a user are closer than what would have joined them, but
    for the pieces of one that was cut, which follow each other without overlap.
-#}

with

sessions as (select * from {{ ref('fct_sessions') }}),

neighbours as (
    select
        session_id,
        parent_session_id,
        user_id,
        started_at,
        lag(parent_session_id) over sessions_of_user
            as previous_parent_session_id,
        lag(ended_at) over sessions_of_user as previous_ended_at
    from sessions
    window
        sessions_of_user as (
            partition by user_id
            order by started_at asc nulls last, session_id asc nulls last
        )
),

final as (
    select *
    from neighbours
    where
        case
            when parent_session_id = previous_parent_session_id
                then previous_ended_at > started_at
            else
                {{ seconds_between('previous_ended_at', 'started_at') }}
                <= {{ var('session_gap_seconds') }}
        end
)

select * from final
