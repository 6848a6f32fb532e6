{#-
    A line of a file written by hand that cannot be read is a slip, not a fault
    of a log to be counted: what it declares would be missing without a word.

    Lines are set apart while their file is loaded: all of them come first.
-#}

{%- set declarations = [
    'event_types', 'experiments', 'experiment_metrics', 'scenarios',
    'scenario_estimates', 'scenario_assumptions', 'lifetimes', 'headline_claims'
] %}

{%- for name in declarations %}
-- depends_on: {{ ref(name) }}
{%- endfor %}

with

malformed as (select * from {{ ref('stg_reader__malformed_rows') }}),

final as (
    select
        table_name || '.csv, line '
        || cast(line_number as {{ data_type('varchar') }})
        || ', cannot be read: ' || line_text as problem,
        'as the reader says: ' || reason_text as remedy
    from malformed
    where
        table_name in (
            {%- for name in declarations %}
                '{{ name }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
)

select * from final
