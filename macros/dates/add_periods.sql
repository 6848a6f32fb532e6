{#-
    The first day of a period moved by whole days, weeks or months.

    {{ add_periods('cohort_date', 2, 'week') }}
    2026-01-05  ->  2026-01-19
-#}
{% macro add_periods(day, periods, period) -%}
    {%- if period == 'month' -%}
        {{ add_months(day, periods) }}
    {%- elif period == 'week' -%}
        {{ add_days(day, '7 * (' ~ periods ~ ')') }}
    {%- else -%}
        {{ add_days(day, periods) }}
    {%- endif -%}
{%- endmacro %}
