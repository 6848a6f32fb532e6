{#-
    What follows the columns of a table that is created empty: the format of its
    files, where the engine asks for one.

    create table results.headlines (...){{ table_format() }}
-#}
{% macro table_format() -%}
    {{ adapter.dispatch('table_format', 'streaming_engagement')() }}
{%- endmacro %}

{% macro duckdb__table_format() -%}
{%- endmacro %}

{% macro spark__table_format() -%}
    {{ ' ' }}using parquet
{%- endmacro %}

{% macro postgres__table_format() -%}
{%- endmacro %}
