{#-
    The first value that is not null among the rows that come later. The caller
    names two windows of the same rows: `later`, of those after, in their order,
    and `reverse`, of those before, in the order turned round. Each engine takes
    the one that it can walk once: Spark begins anew at every row of a window
    that reaches to the end, which for a user with a hundred thousand events is
    five thousand million steps.

    {{ next_known('opened_at', 'later_events', 'events_in_reverse') }}
    'a', null, 'b', null  ->  'b', 'b', null, null
-#}
{% macro next_known(value, later, reverse) -%}
    {{ adapter.dispatch('next_known', 'streaming_engagement')(
        value, later, reverse
    ) }}
{%- endmacro %}

{% macro duckdb__next_known(value, later, reverse) -%}
    (first_value({{ value }} ignore nulls) over {{ later }})
{%- endmacro %}

{% macro spark__next_known(value, later, reverse) -%}
    (last_value({{ value }}, true) over {{ reverse }})
{%- endmacro %}

{#- PostgreSQL cannot ignore nulls: the first of all that are none. -#}
{% macro postgres__next_known(value, later, reverse) -%}
    (
        (
            array_agg({{ value }}) filter (where ({{ value }}) is not null)
            over {{ later }}
        )[1]
    )
{%- endmacro %}
