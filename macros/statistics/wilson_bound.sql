{#-
    A bound of the Wilson score interval of a proportion; null when there are
    no trials. `side` is `low` or `high`; the level comes from `interval_z`.

    {{ wilson_bound('retained_users', 'eligible_users', 'low') }}
    8 of 10, interval_z 1.96  ->  0.490

    E. B. Wilson (1927), "Probable inference, the law of succession, and
    statistical inference", JASA 22(158), 209-212.
-#}
{% macro wilson_bound(successes, trials, side) -%}
    {%- set z = var('interval_z') -%}
    {%- set x = 'cast(' ~ successes ~ ' as double)' -%}
    {%- set n = 'cast(' ~ trials ~ ' as double)' -%}
    {#- Where the bound is 0 or 1 exactly, rounding must not pass it. -#}
    case
        when {{ trials }} > 0
            then {{ 'greatest' if side == 'low' else 'least' }}(
                (
                    {{ x }} + cast({{ z * z / 2 }} as double)
                    {{ '-' if side == 'low' else '+' }}
                    cast({{ z }} as double) * sqrt(
                        {{ x }} * ({{ n }} - {{ x }}) / {{ n }}
                        + cast({{ z * z / 4 }} as double)
                    )
                ) / ({{ n }} + cast({{ z * z }} as double)),
                cast({{ 0 if side == 'low' else 1 }} as double)
            )
    end
{%- endmacro %}
