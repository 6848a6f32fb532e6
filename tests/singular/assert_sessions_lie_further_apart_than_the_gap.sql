{#- No two sessions of a user are closer than what would have joined them. -#}

with

sessions as (select * from {{ ref('fct_sessions') }}),

neighbours as (
    select
        session_id,
        user_id,
        started_at,
        lag(ended_at) over (
            partition by user_id
            order by started_at asc nulls last, session_id asc nulls last
        ) as previous_ended_at
    from sessions
),

final as (
    select *
    from neighbours
    where
        {{ seconds_between('previous_ended_at', 'started_at') }}
        <= {{ var('session_gap_seconds') }}
)

select * from final
