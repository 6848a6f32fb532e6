{{ config(severity='warn') }}

{#-
    No failure but worth saying: events are of types that nobody declared. Kept
    ones are counted together; of those that are set apart, each type is named
    that makes up at least 1 % of the events: fewer may be slips of the source.
-#}

with

reconciliation as (select * from {{ ref('fct_reconciliation') }}),

events as (select * from {{ ref('stg_service__events') }}),

types as (select * from {{ ref('stg_reference__event_types') }}),

counted as (
    select
        event_type,
        count(*) as event_count
    from events
    group by event_type
),

shared as (
    select
        event_type,
        event_count,
        sum(event_count) over () as all_count
    from counted
),

final as (
    select
        cast(unknown_type_rows as {{ data_type('varchar') }})
        || ' events are of types that event_types.csv does not declare: they'
        || ' are activity in sessions and do nothing else' as problem,
        'declare their types there, or set unknown_event_types to reject'
            as remedy
    from reconciliation
    where unknown_type_rows > 0
    union all
    select
        cast(shared.event_count as {{ data_type('varchar') }})
        || ' of ' || cast(shared.all_count as {{ data_type('varchar') }})
        || ' events are set apart: event_types.csv does not declare their type '
        || shared.event_type as problem,
        'declare it there, correct its spelling, or set unknown_event_types '
        || 'to keep' as remedy
    from shared
    left join types
        on shared.event_type = types.event_type
    where
        '{{ var("unknown_event_types") }}' = 'reject'
        and types.event_type is null
        and 100 * shared.event_count >= shared.all_count
)

select * from final
