{#-
    The calendar day of a naive UTC instant in `time_zone`; null in, null out.

    {{ local_date('event_at') }}, time_zone America/New_York
    2026-01-06 03:00:00  ->  2026-01-05
-#}
{% macro local_date(instant) -%}
    {%- if var('time_zone') == 'UTC' -%}
        cast({{ instant }} as date)
    {%- else -%}
        {{ adapter.dispatch('local_date', 'streaming_engagement')(instant) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__local_date(instant) -%}
    cast(
        timezone('{{ var("time_zone") }}', timezone('UTC', {{ instant }}))
        as date
    )
{%- endmacro %}

{% macro spark__local_date(instant) -%}
    cast(from_utc_timestamp({{ instant }}, '{{ var("time_zone") }}') as date)
{%- endmacro %}

{% macro postgres__local_date(instant) -%}
    cast(
        timezone('{{ var("time_zone") }}', timezone('UTC', {{ instant }}))
        as date
    )
{%- endmacro %}
