{#-
    A bound of the score interval of a proportion for any quantile, of the
    normal distribution or another; null when there are no trials. Successes,
    trials and quantile are doubles and need not be whole. `side` is `low` or
    `high`.

    {{ score_bound('8.0', '10.0', '1.96', 'low') }}  ->  0.490
-#}
{% macro score_bound(successes, trials, quantile, side) -%}
    {#- A bound of 0 or 1 is exact, whatever rounding would make of it. -#}
    case
        when {{ trials }} > 0
            and {{ successes }} = {{ 0 if side == 'low' else trials }}
            then {{ as_double(0 if side == 'low' else 1) }}
        when {{ trials }} > 0
            then (
                {{ successes }} + {{ quantile }} * {{ quantile }} / 2
                {{ '-' if side == 'low' else '+' }} {{ quantile }} * sqrt(
                    {{ successes }} * ({{ trials }} - {{ successes }})
                    / {{ trials }}
                    + {{ quantile }} * {{ quantile }} / 4
                )
            ) / ({{ trials }} + {{ quantile }} * {{ quantile }})
    end
{%- endmacro %}
