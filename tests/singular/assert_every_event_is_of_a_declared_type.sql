{{ config(severity='warn') }}

{#-
    No failure but worth saying: events of types that nobody declared were kept,
    as `unknown_event_types` asks.
-#}

with

reconciliation as (select * from {{ ref('fct_reconciliation') }}),

final as (
    select
        table_name,
        cast(unknown_type_rows as {{ data_type('varchar') }})
        || ' events are of types that event_types.csv does not declare: they'
        || ' are activity in sessions and do nothing else' as problem,
        'declare their types there, or set unknown_event_types to reject'
            as remedy
    from reconciliation
    where unknown_type_rows > 0
)

select * from final
