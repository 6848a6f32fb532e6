{#-
    How many times larger the variance of a pooled rate is for the differences
    between clusters than for independent users: the between-cluster variance
    of the ratio estimator over p (1 - p) / n. Exact sums in, one division;
    null below two clusters, and where the rate is 0 or 1, so that nothing
    varies.

    clusters:  how many clusters with an eligible user
    part:      sum of y, the successes of a cluster
    whole:     sum of x, its trials
    part_squares, products, whole_squares:  sums of y * y, x * y, x * x

    V = m / (m - 1) * sum((y - p x) ** 2) / whole ** 2

    W. G. Cochran (1977), "Sampling Techniques", 3rd ed., section 9A; L. Kish
    (1965), "Survey Sampling".
-#}
{% macro design_effect(
    clusters, part, whole, part_squares, products, whole_squares
) -%}
    {{ as_double(clusters) }} * cast(
        {{ whole }} * {{ whole }} * {{ part_squares }}
        - 2 * {{ part }} * {{ whole }} * {{ products }}
        + {{ part }} * {{ part }} * {{ whole_squares }}
        as {{ data_type('double') }}
    ) / nullif(
        ({{ as_double(clusters) }} - 1)
        * {{ as_double(whole) }}
        * {{ as_double(part) }}
        * {{ as_double(whole ~ ' - ' ~ part) }},
        0
    )
{%- endmacro %}
