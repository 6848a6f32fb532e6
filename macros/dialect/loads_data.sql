{#-
    Whether the project loads raw data into the engine. PostgreSQL only checks,
    on empty tables, how the models are spelt.
-#}
{% macro loads_data() -%}
    {{ return(adapter.dispatch('loads_data', 'streaming_engagement')()) }}
{%- endmacro %}

{% macro duckdb__loads_data() -%}
    {{ return(true) }}
{%- endmacro %}

{% macro spark__loads_data() -%}
    {{ return(true) }}
{%- endmacro %}

{% macro postgres__loads_data() -%}
    {{ return(false) }}
{%- endmacro %}
