{#-
    An instant moved by whole hours, elapsed, not clock hours.

    {{ add_hours('assigned_at', '24 * 7') }}
    2026-03-01 10:00:00  ->  2026-03-08 10:00:00
-#}
{% macro add_hours(instant, hours) -%}
    {{ adapter.dispatch('add_hours', 'streaming_engagement')(instant, hours) }}
{%- endmacro %}

{% macro duckdb__add_hours(instant, hours) -%}
    ({{ instant }} + to_hours({{ hours }}))
{%- endmacro %}

{% macro spark__add_hours(instant, hours) -%}
    timestampadd(hour, {{ hours }}, {{ instant }})
{%- endmacro %}

{% macro postgres__add_hours(instant, hours) -%}
    ({{ instant }} + ({{ hours }}) * interval '1 hour')
{%- endmacro %}
