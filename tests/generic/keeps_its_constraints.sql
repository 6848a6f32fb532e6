{#-
    Fails when a column that is declared `not_null` holds a null. For tables that
    no model makes: dbt enforces the constraints of its own models alone.

    A failure returns one row per column, with how many nulls it holds.
-#}
{% test keeps_its_constraints(model) %}

{#- While dbt parses, the graph is empty. -#}
{% set tables = graph.get('sources', {}).values()
    | selectattr('relation_name', 'equalto', model | string) | list -%}
{% set required = [] -%}
{% for table in tables -%}
    {% for column in table.columns.values() -%}
        {% if 'not_null' in column.constraints | map(attribute='type') -%}
            {% do required.append(column.name) -%}
        {% endif -%}
    {% endfor -%}
{% endfor -%}

with

nulls as (
    {% for name in required -%}
        select
            '{{ name }}' as column_name,
            count(*) - count({{ name }}) as null_count
        from {{ model }}
        union all
    {% endfor -%}
    select
        'any' as column_name,
        0 as null_count
)

select *
from nulls
where null_count > 0

{% endtest %}
