{#-
    A bound of the Wilson score interval of a proportion; null when there are
    no trials. `side` is `low` or `high`; the level comes from `interval_z`.

    {{ wilson_bound('retained_users', 'eligible_users', 'low') }}
    8 of 10, interval_z 1.96  ->  0.490

    E. B. Wilson (1927), "Probable inference, the law of succession, and
    statistical inference", JASA 22(158), 209-212.
-#}
{% macro wilson_bound(successes, trials, side) -%}
    {{ score_bound(
        as_double(successes),
        as_double(trials),
        as_double(var('interval_z')),
        side
    ) }}
{%- endmacro %}
