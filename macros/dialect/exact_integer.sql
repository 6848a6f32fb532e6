{#-
    The widest whole-number type of the engine, in which sums of counts and of
    their squares stay exact.

    cast(play_count as {{ exact_integer() }})
-#}
{% macro exact_integer() -%}
    {{ adapter.dispatch('exact_integer', 'streaming_engagement')() }}
{%- endmacro %}

{% macro duckdb__exact_integer() -%}
    hugeint
{%- endmacro %}

{% macro spark__exact_integer() -%}
    decimal(38, 0)
{%- endmacro %}

{% macro postgres__exact_integer() -%}
    decimal(38, 0)
{%- endmacro %}
