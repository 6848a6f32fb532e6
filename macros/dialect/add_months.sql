{#-
    The first day of a month moved by whole months.

    {{ add_months('month_start_date', 2) }}
    2026-01-01  ->  2026-03-01
-#}
{% macro add_months(day, months) -%}
    {{ adapter.dispatch('add_months', 'streaming_engagement')(day, months) }}
{%- endmacro %}

{% macro duckdb__add_months(day, months) -%}
    cast({{ day }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(day, months) -%}
    add_months({{ day }}, cast({{ months }} as int))
{%- endmacro %}

{% macro postgres__add_months(day, months) -%}
    cast(
        {{ day }} + cast({{ months }} as integer) * interval '1 month' as date
    )
{%- endmacro %}
