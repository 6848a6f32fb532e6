{#-
    Elapsed seconds from one instant to another, to the microsecond; counts no
    boundaries, unlike `datediff`.

    {{ seconds_between('started_at', 'ended_at') }}
    10:10:59.5, 10:11:00  ->  0.5
-#}
{% macro seconds_between(earlier, later) -%}
    {{ adapter.dispatch('seconds_between', 'streaming_engagement')(
        earlier, later
    ) }}
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    ((epoch_us({{ later }}) - epoch_us({{ earlier }})) / 1e6)
{%- endmacro %}

{% macro spark__seconds_between(earlier, later) -%}
    ((unix_micros({{ later }}) - unix_micros({{ earlier }})) / 1e6)
{%- endmacro %}

{% macro postgres__seconds_between(earlier, later) -%}
    cast(
        extract(epoch from ({{ later }}) - ({{ earlier }})) as double precision
    )
{%- endmacro %}
