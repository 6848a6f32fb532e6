{#-
    A query for the names and types of a table's columns, in order; no rows
    when there is no such table.
-#}
{% macro columns_of_table(relation) -%}
    {{ return(
        adapter.dispatch('columns_of_table', 'streaming_engagement')(relation)
    ) }}
{%- endmacro %}

{% macro duckdb__columns_of_table(relation) -%}
    select
        column_name,
        data_type
    from information_schema.columns
    where
        table_catalog = '{{ relation.database }}'
        and table_schema = '{{ relation.schema }}'
        and table_name = '{{ relation.identifier }}'
    order by ordinal_position
{%- endmacro %}
