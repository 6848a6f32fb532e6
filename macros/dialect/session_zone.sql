{#-
    The name of the time zone in which the engine reads instants.

    select {{ session_zone() }}  ->  UTC
-#}
{% macro session_zone() -%}
    {{ adapter.dispatch('session_zone', 'streaming_engagement')() }}
{%- endmacro %}

{% macro duckdb__session_zone() -%}
    current_setting('TimeZone')
{%- endmacro %}

{% macro spark__session_zone() -%}
    current_timezone()
{%- endmacro %}

{% macro postgres__session_zone() -%}
    current_setting('TimeZone')
{%- endmacro %}
