{#-
    The first value of a window that is not null; the window is named.

    {{ next_known('opened_at', 'later') }}
    'a', null, 'b', null  ->  'b', 'b', null, null  (later: the rows after)
-#}
{% macro next_known(value, window) -%}
    {{ adapter.dispatch('next_known', 'streaming_engagement')(value, window) }}
{%- endmacro %}

{% macro duckdb__next_known(value, window) -%}
    (first_value({{ value }} ignore nulls) over {{ window }})
{%- endmacro %}

{% macro spark__next_known(value, window) -%}
    (first_value({{ value }}, true) over {{ window }})
{%- endmacro %}

{#- PostgreSQL cannot ignore nulls: the first of all that are none. -#}
{% macro postgres__next_known(value, window) -%}
    (
        (
            array_agg({{ value }}) filter (where ({{ value }}) is not null)
            over {{ window }}
        )[1]
    )
{%- endmacro %}
