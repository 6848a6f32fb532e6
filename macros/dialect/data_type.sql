{#-
    A type of the project's vocabulary, as contracts and sources declare it, in
    the engine's own word: varchar, double, integer, bigint, boolean, date or
    timestamp.

    cast(user_id as {{ data_type('varchar') }})
    varchar  ->  varchar (DuckDB), string (Spark), text (PostgreSQL)
-#}
{% macro data_type(name) -%}
    {{ adapter.dispatch('data_type', 'streaming_engagement')(name | lower) }}
{%- endmacro %}

{% macro duckdb__data_type(name) -%}
    {{ name }}
{%- endmacro %}

{% macro spark__data_type(name) -%}
    {{ {'varchar': 'string', 'integer': 'int'}.get(name, name) }}
{%- endmacro %}

{% macro postgres__data_type(name) -%}
    {{ {
        'varchar': 'text',
        'double': 'double precision',
        'timestamp': 'timestamp without time zone',
    }.get(name, name) }}
{%- endmacro %}
