{#-
    A window function: the first value of the window that is not null. The
    caller adds the window.

    {{ next_known('opened_at') }} over later
    'a', null, 'b', null  ->  'b', 'b', null, null  (later: the rows after)
-#}
{% macro next_known(value) -%}
    {{ adapter.dispatch('next_known', 'streaming_engagement')(value) }}
{%- endmacro %}

{% macro duckdb__next_known(value) -%}
    first_value({{ value }} ignore nulls)
{%- endmacro %}

{% macro spark__next_known(value) -%}
    first_value({{ value }}, true)
{%- endmacro %}
