{#-
    Whether raw tables are the Parquet files that `make land` wrote, rather than
    read from CSV by the engine itself.
-#}
{% macro reads_landed_files() -%}
    {{ return(
        adapter.dispatch('reads_landed_files', 'streaming_engagement')()
    ) }}
{%- endmacro %}

{% macro duckdb__reads_landed_files() -%}
    {{ return(false) }}
{%- endmacro %}

{% macro spark__reads_landed_files() -%}
    {{ return(true) }}
{%- endmacro %}

{% macro postgres__reads_landed_files() -%}
    {{ return(false) }}
{%- endmacro %}
