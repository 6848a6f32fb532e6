{{ config(materialized='view') }}

{#-
    Grain: one row per amount of a measure that a user's events brought.

    The measures are those of `int_measures_declared`. Events are counted by
    type only for the types whose count some metric names.
-#}

with

events as (select * from {{ ref('int_events_sessionized') }}),

plays as (select * from {{ ref('int_plays_measured') }}),

declared as (select * from {{ ref('int_measures_declared') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

named as (
    select measure
    from metrics
    union distinct
    select denominator_measure as measure
    from metrics
),

counted_types as (
    select
        declared.event_type,
        declared.measure
    from declared
    inner join named
        on declared.measure = named.measure
    where declared.event_type is not null
),

final as (
    {{ event_measures('amounts') }}
    union all
    select
        events.user_id,
        counted_types.measure,
        cast(1 as bigint) as amount,
        events.event_at as measured_at
    from events
    inner join counted_types
        on events.event_type = counted_types.event_type
)

select * from final
