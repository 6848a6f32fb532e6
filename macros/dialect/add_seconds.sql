{#-
    An instant moved by seconds, whole or not, to the microsecond.

    {{ add_seconds('event_at', 'open_seconds') }}
    2026-03-01 10:00:00, 1.5  ->  2026-03-01 10:00:01.5
-#}
{% macro add_seconds(instant, seconds) -%}
    {{ adapter.dispatch('add_seconds', 'streaming_engagement')(
        instant, seconds
    ) }}
{%- endmacro %}

{% macro duckdb__add_seconds(instant, seconds) -%}
    ({{ instant }} + to_microseconds(cast(round({{ seconds }} * 1e6) as bigint)))
{%- endmacro %}

{% macro spark__add_seconds(instant, seconds) -%}
    timestampadd(
        microsecond, cast(round({{ seconds }} * 1e6) as bigint), {{ instant }}
    )
{%- endmacro %}

{% macro postgres__add_seconds(instant, seconds) -%}
    (
        {{ instant }}
        + cast(round({{ seconds }} * 1e6) as bigint) * interval '1 microsecond'
    )
{%- endmacro %}
