{#-
    A number that equal texts share, and others hardly ever, to find what may be
    equal at less cost than by comparing texts. Engines have their own, so it
    decides nothing and is shown nowhere.

    {{ fingerprint('event_id') }}
-#}
{% macro fingerprint(text) -%}
    {{ adapter.dispatch('fingerprint', 'streaming_engagement')(text) }}
{%- endmacro %}

{% macro duckdb__fingerprint(text) -%}
    hash({{ text }})
{%- endmacro %}

{% macro spark__fingerprint(text) -%}
    xxhash64({{ text }})
{%- endmacro %}

{% macro postgres__fingerprint(text) -%}
    hashtextextended({{ text }}, 0)
{%- endmacro %}
