{#-
    Whole days from one date to another, negative when the second is earlier.

    {{ days_between('cohort_date', 'activity_date') }}
    2026-01-05, 2026-01-12  ->  7
-#}
{% macro days_between(earlier, later) -%}
    {{ adapter.dispatch('days_between', 'streaming_engagement')(
        earlier, later
    ) }}
{%- endmacro %}

{% macro duckdb__days_between(earlier, later) -%}
    cast({{ later }} - {{ earlier }} as integer)
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    datediff({{ later }}, {{ earlier }})
{%- endmacro %}

{% macro postgres__days_between(earlier, later) -%}
    ({{ later }} - {{ earlier }})
{%- endmacro %}
