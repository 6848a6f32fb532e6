{#-
    The latest value of a window that is not null; the window is named.

    {{ last_known('opening_id', 'so_far') }}
    'a', null, 'b', null  ->  'a', 'a', 'b', 'b'
-#}
{% macro last_known(value, window) -%}
    {{ adapter.dispatch('last_known', 'streaming_engagement')(value, window) }}
{%- endmacro %}

{% macro duckdb__last_known(value, window) -%}
    (last_value({{ value }} ignore nulls) over {{ window }})
{%- endmacro %}

{% macro spark__last_known(value, window) -%}
    (last_value({{ value }}, true) over {{ window }})
{%- endmacro %}

{#- PostgreSQL cannot ignore nulls: the last of all that are none. -#}
{% macro postgres__last_known(value, window) -%}
    (
        (
            array_agg({{ value }}) filter (where ({{ value }}) is not null)
            over {{ window }}
        )[cast(count({{ value }}) over {{ window }} as integer)]
    )
{%- endmacro %}
