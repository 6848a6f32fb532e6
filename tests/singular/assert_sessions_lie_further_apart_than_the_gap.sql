{#-
    No two sessions of a user are closer than what would have joined them, but
    for the pieces of one that was cut, which follow each other without overlap.
-#}

with

sessions as (select * from {{ ref('int_sessions_measured') }}),

ended as (
    select
        *,
        {{ add_seconds('started_at', 'duration_seconds') }} as ended_at
    from sessions
),

neighbours as (
    select
        user_key,
        run_start_number,
        piece_number,
        started_at,
        lag(run_start_number) over sessions_of_user
            as previous_run_start_number,
        lag(ended_at) over sessions_of_user as previous_ended_at
    from ended
    window
        sessions_of_user as (
            partition by user_key
            order by session_number asc nulls last
        )
),

final as (
    select *
    from neighbours
    where
        case
            when run_start_number = previous_run_start_number
                then previous_ended_at > started_at
            else
                {{ seconds_between('previous_ended_at', 'started_at') }}
                <= {{ var('session_gap_seconds') }}
        end
)

select * from final
