{#-
    A bound of a pooled rate's interval when clusters, not users, are the
    sample: the score interval of the successes and trials of as many
    independent users as would vary as much, with Student's quantile. A design
    effect below 1 counts as 1: the interval never claims to know more than
    independent users would tell. Null where the design effect is.

    {{ clustered_bound(
        'retained_users', 'eligible_users', 'design_effect', 'quantile', 'low'
    ) }}

    E. L. Korn and B. I. Graubard (1998), "Confidence intervals for proportions
    with small expected number of positive counts estimated from survey data",
    Survey Methodology 24(2), 193-201, for the effective sample size.
-#}
{% macro clustered_bound(
    successes, trials, design_effect, quantile, side
) -%}
    {%- set effect = 'greatest(' ~ design_effect ~ ', 1)' -%}
    case
        when {{ design_effect }} is not null
            then {{ score_bound(
                '(' ~ as_double(successes) ~ ' / ' ~ effect ~ ')',
                '(' ~ as_double(trials) ~ ' / ' ~ effect ~ ')',
                quantile,
                side
            ) }}
    end
{%- endmacro %}
