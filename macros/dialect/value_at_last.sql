{#-
    As an aggregate: the value in the row whose key is largest, null or not.
    The key is never null, and largest in one row only.

    {{ value_at_last('close_reason_code', 'interval_number') }}
    ('title_end', 1), ('ended', 2)  ->  'ended'
-#}
{% macro value_at_last(value, key) -%}
    {{ adapter.dispatch('value_at_last', 'streaming_engagement')(value, key) }}
{%- endmacro %}

{#- DuckDB's `max_by` passes over rows whose value is null. -#}
{% macro duckdb__value_at_last(value, key) -%}
    arg_max_null({{ value }}, {{ key }})
{%- endmacro %}

{% macro spark__value_at_last(value, key) -%}
    max_by({{ value }}, {{ key }})
{%- endmacro %}

{% macro postgres__value_at_last(value, key) -%}
    (array_agg({{ value }} order by {{ key }} desc nulls last))[1]
{%- endmacro %}
