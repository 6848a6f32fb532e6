{{ config(materialized='view') }}

{#-
    Grain: one row per amount of a measure that a user's events brought.

    The measures are those of `int_measures_declared`. Events are counted by
    type only for the types whose count some metric names.
-#}

with

events as (select * from {{ ref('int_events_bounded') }}),

typed_events as (select * from {{ ref('int_events_classified') }}),

types as (select * from {{ ref('int_event_types_keyed') }}),

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
        types.event_type_key,
        declared.measure
    from declared
    inner join named
        on declared.measure = named.measure
    inner join types
        on declared.event_type = types.event_type
),

final as (
    {{ event_measures('amounts') }}
    union all
    select
        typed_events.user_key,
        counted_types.measure,
        cast(1 as bigint) as amount,
        typed_events.event_at as measured_at
    from typed_events
    inner join counted_types
        on typed_events.event_type_key = counted_types.event_type_key
    where typed_events.row_verdict = 'canonical'
)

select * from final
