{#-
    The kinds of metric that have a property, as a list for `in`. This is where
    SQL learns of a kind; `scripts/stats/kinds.py` says how it is estimated and
    shown, and a test compares the two.

    is_share:         a user counts 1 or 0, whatever the amount
    has_denominator:  the outcome is a sum over a sum
    adds_up:          the mean is the weighted mean of groups of users, and
                      each day has a mean of its own: a kind has it only if both
                      are true
    has_ranks:        estimated from values by rank, not from moments

    kind in ({{ kinds_with('has_denominator') }})
-#}
{% macro kinds_with(property) -%}
    {%- set kinds = {
        'mean': ['any', 'adds_up'],
        'proportion': ['any', 'adds_up', 'is_share'],
        'ratio': ['any', 'has_denominator'],
        'quantile': ['any', 'has_ranks'],
    } -%}
    {%- set words = kinds.values() | sum(start=[]) | unique | sort -%}
    {%- if property not in words -%}
        {{ exceptions.raise_compiler_error(
            'no kind has ' ~ property ~ '; write one of '
            ~ words | join(', ')
        ) }}
    {%- endif -%}
    {%- for kind, properties in kinds.items() if property in properties -%}
        '{{ kind }}'{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
