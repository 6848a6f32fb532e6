{{ config(
    severity='error' if var('rejected_share_check') == 'error' else 'warn',
    enabled=var('rejected_share_check') != 'ignore'
) }}

{#-
    A few rows that break a rule are a log's dirt. More than
    `rejected_share_limit` of a raw table are a mistake of its source, or of
    what is declared about it: numbers of the rest would be of a part.
-#}

with

reconciliation as (select * from {{ ref('fct_reconciliation') }}),

counted as (
    select
        table_name,
        raw_rows,
        rejected_rows + malformed_rows as lost_rows
    from reconciliation
),

final as (
    select
        table_name || '.csv: '
        || cast(lost_rows as {{ data_type('varchar') }}) || ' of '
        || cast(raw_rows as {{ data_type('varchar') }})
        || ' rows are rejected or malformed' as problem,
        'see why in marts.fct_rejected_rows and correct the source, or raise '
        || 'rejected_share_limit' as remedy
    from counted
    where
        {{ rate('lost_rows', 'raw_rows') }}
        > {{ var('rejected_share_limit') }}
)

select * from final
