{#-
    A query for the whole numbers from 0 to `last`, one per row, in a column
    that the caller names.

    {{ integers('day_number', 2) }}  ->  day_number: 0, 1, 2
-#}
{% macro integers(column_name, last) -%}
    {{ adapter.dispatch('integers', 'streaming_engagement')(
        column_name, last
    ) }}
{%- endmacro %}

{% macro duckdb__integers(column_name, last) -%}
    select cast(range as integer) as {{ column_name }}
    from range({{ last }} + 1)
{%- endmacro %}

{% macro spark__integers(column_name, last) -%}
    select explode(sequence(0, {{ last }})) as {{ column_name }}
{%- endmacro %}

{% macro postgres__integers(column_name, last) -%}
    select {{ column_name }}
    from generate_series(0, {{ last }}) as numbers ({{ column_name }})
{%- endmacro %}
