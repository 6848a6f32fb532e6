{#-
    The naive UTC instant at which a calendar day of `time_zone` begins; null
    in, null out.

    {{ local_midnight('assigned_date') }}, time_zone America/New_York
    2026-01-05  ->  2026-01-05 05:00:00
-#}
{% macro local_midnight(day) -%}
    {%- if var('time_zone') == 'UTC' -%}
        cast({{ day }} as timestamp)
    {%- else -%}
        {{ adapter.dispatch('local_midnight', 'streaming_engagement')(day) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__local_midnight(day) -%}
    timezone(
        'UTC', timezone('{{ var("time_zone") }}', cast({{ day }} as timestamp))
    )
{%- endmacro %}

{% macro spark__local_midnight(day) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), '{{ var("time_zone") }}')
{%- endmacro %}
