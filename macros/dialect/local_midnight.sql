{#-
    The naive UTC instant at which a calendar day of `time_zone` begins; null
    in, null out. Where clocks are put forward at midnight the day begins with
    the first hour that there is, where they are put back across it with the
    first of two midnights.

    {{ local_midnight('assigned_date') }}, time_zone America/New_York
    2026-01-05  ->  2026-01-05 05:00:00
-#}
{% macro local_midnight(day) -%}
    {%- if var('time_zone') == 'UTC' -%}
        cast({{ day }} as {{ data_type('timestamp') }})
    {%- else -%}
        {{ adapter.dispatch('local_midnight', 'streaming_engagement')(day) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__local_midnight(day) -%}
    {#- DuckDB takes the second of two midnights. -#}
    {%- set midnight -%}
        timezone(
            'UTC',
            timezone('{{ var("time_zone") }}', cast({{ day }} as timestamp))
        )
    {%- endset -%}
    case
        when {{ local_date('(' ~ midnight ~ ' - to_hours(1))') }} = {{ day }}
            then {{ midnight }} - to_hours(1)
        else {{ midnight }}
    end
{%- endmacro %}

{% macro spark__local_midnight(day) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), '{{ var("time_zone") }}')
{%- endmacro %}

{% macro postgres__local_midnight(day) -%}
    {#- PostgreSQL takes the second of two midnights. -#}
    {%- set midnight -%}
        timezone(
            'UTC',
            timezone('{{ var("time_zone") }}', cast({{ day }} as timestamp))
        )
    {%- endset -%}
    case
        when {{ local_date('(' ~ midnight ~ " - interval '1 hour')") }}
            = {{ day }}
            then {{ midnight }} - interval '1 hour'
        else {{ midnight }}
    end
{%- endmacro %}
