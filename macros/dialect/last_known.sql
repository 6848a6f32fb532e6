{#-
    A window function: the latest value so far that is not null. The caller
    adds the window.

    {{ last_known('opening_id') }} over so_far
    'a', null, 'b', null  ->  'a', 'a', 'b', 'b'
-#}
{% macro last_known(value) -%}
    {{ adapter.dispatch('last_known', 'streaming_engagement')(value) }}
{%- endmacro %}

{% macro duckdb__last_known(value) -%}
    last_value({{ value }} ignore nulls)
{%- endmacro %}

{% macro spark__last_known(value) -%}
    last_value({{ value }}, true)
{%- endmacro %}
