{#- The joins of the widest table neither lose nor repeat an event. -#}

with

reconciliation as (select * from {{ ref('fct_reconciliation') }}),

activity as (select * from {{ ref('fct_streaming_activity') }}),

counted as (select count(*) as row_count from activity),

final as (
    select
        reconciliation.canonical_rows,
        counted.row_count
    from reconciliation
    cross join counted
    where
        reconciliation.table_name = 'events'
        and reconciliation.canonical_rows <> counted.row_count
)

select * from final
