{#-
    Grain: one row per measure of a user that comes from the events.

    These are the measures that `experiment_metrics.csv` may name without a
    `user_measures.csv`, and whose names no measure of that file may have: those
    of `event_measures`, and for every declared type of event, how often a user
    had one.
-#}

with

types as (select * from {{ ref('stg_reference__event_types') }}),

fixed as (
    {{ event_measures('declared') }}
),

measures as (
    select
        measure,
        event_type,
        unit,
        description
    from fixed
    union all
    select
        event_type || '_events' as measure,
        event_type,
        'events' as unit,
        'Events of the type ' || label as description
    from types
),

final as (
    select
        -- attributes
        cast(measure as {{ data_type('varchar') }}) as measure,
        event_type,
        cast(unit as {{ data_type('varchar') }}) as unit,
        cast(description as {{ data_type('varchar') }}) as description
    from measures
)

select * from final
