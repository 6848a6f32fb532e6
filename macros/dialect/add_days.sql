{#-
    A date moved by whole days.

    {{ add_days('cohort_date', 7) }}
    2026-01-05  ->  2026-01-12
-#}
{% macro add_days(day, days) -%}
    {{ adapter.dispatch('add_days', 'streaming_engagement')(day, days) }}
{%- endmacro %}

{% macro duckdb__add_days(day, days) -%}
    ({{ day }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__add_days(day, days) -%}
    date_add({{ day }}, cast({{ days }} as int))
{%- endmacro %}

{% macro postgres__add_days(day, days) -%}
    ({{ day }} + cast({{ days }} as integer))
{%- endmacro %}
