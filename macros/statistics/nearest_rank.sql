{#-
    A quantile from counts by value, as an aggregate: the smallest value up to
    which at least `percent` % of all units lie. The caller gives the running
    sum of units in the values' order. Compared in whole numbers, so that a rank
    which is met exactly is not missed by rounding.

    {{ nearest_rank('length_seconds', 'sessions_so_far', 'sessions', 50) }}
    1, 2, 3, 4 once each  ->  2
-#}
{% macro nearest_rank(value, units_so_far, units, percent) -%}
    min({{ value }}) filter (
        where {{ units_so_far }} * 100 >= {{ units }} * {{ percent }}
    )
{%- endmacro %}
