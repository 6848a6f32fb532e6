{#-
    The chance that a draw without replacement holds at least one of the marked
    ones: 1 - C(total - marked, draws) / C(total, draws), factor by factor.

    {{ drawn_chance('early_play_count', 'known_play_count', 2) }}
    1 of 4  ->  1 - 3/4 * 2/3 = 0.5
-#}
{% macro drawn_chance(marked, total, draws) -%}
    (
        1e0 - 1e0
        {%- for drawn in range(draws) %}
            * {{ as_double(total ~ ' - ' ~ marked ~ ' - ' ~ drawn) }}
            / ({{ total }} - {{ drawn }})
        {%- endfor %}
    )
{%- endmacro %}
