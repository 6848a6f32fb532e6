{{ config(materialized='view') }}

{#-
    Grain: one row per amount of a measure that a user's events brought.

    The measures that `experiment_metrics.csv` may name without a
    `user_measures.csv` are defined here alone; `event_measures` lists them.
-#}

with

events as (select * from {{ ref('int_events_sessionized') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

final as (
    select
        user_id,
        'sessions' as measure,
        cast(1 as bigint) as amount,
        event_at as measured_at
    from events
    where is_session_start
    union all
    select
        user_id,
        'active' as measure,
        cast(1 as bigint) as amount,
        event_at as measured_at
    from events
    where event_type = 'play'
    union all
    select
        user_id,
        'plays' as measure,
        cast(1 as bigint) as amount,
        started_at as measured_at
    from plays
    union all
    select
        user_id,
        'valid_plays' as measure,
        cast(1 as bigint) as amount,
        started_at as measured_at
    from plays
    where is_valid_play
    union all
    select
        user_id,
        'watched_seconds' as measure,
        watched_seconds as amount,
        started_at as measured_at
    from plays
)

select * from final
