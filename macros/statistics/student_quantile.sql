{#-
    The quantile of Student's t distribution at the level of `interval_z`, for
    a column of degrees of freedom; null below 1.

    {{ student_quantile('cohort_count - 1') }}
    29, interval_z 1.96  ->  2.045

    Exact for 1 and 2 degrees of freedom, where the quantile has a closed form.
    From 3 on the Cornish-Fisher series to the fifth power, which at 95 % falls
    short by 0.0009 for 3, by 0.0002 for 4 and by less than 0.0001 from 5 on;
    at 99 % by 0.012, 0.002 and 0.0005.

    R. A. Fisher and E. A. Cornish (1960), "The percentile points of
    distributions having known cumulants", Technometrics 2(2), 209-225.
-#}
{% macro student_quantile(degrees) -%}
    {%- set z = var('interval_z') -%}
    {%- set n = as_double(degrees) -%}
    {#- The probability between -z and z, by its series. -#}
    {%- set series = namespace(term=z, total=z) -%}
    {%- for step in range(1, 200) -%}
        {%- set series.term = series.term * z * z / (2 * step + 1) -%}
        {%- set series.total = series.total + series.term -%}
    {%- endfor -%}
    {%- set inside = (
        2 * 0.3989422804014327 * 2.718281828459045 ** (-z * z / 2)
        * series.total
    ) -%}
    {%- set terms = [
        (z ** 3 + z) / 4,
        (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
        (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
        (
            79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3
            - 945 * z
        ) / 92160,
        (
            27 * z ** 11 + 339 * z ** 9 + 930 * z ** 7 - 1782 * z ** 5
            - 765 * z ** 3 + 17955 * z
        ) / 368640,
    ] -%}
    case
        when {{ n }} = 1
            then tan({{ as_double(inside * 1.5707963267948966) }})
        when {{ n }} = 2
            then {{ as_double(inside * (2 / (1 - inside ** 2)) ** 0.5) }}
        when {{ n }} >= 3
            then
                {%- set sum = namespace(text='0') -%}
                {%- for term in terms | reverse -%}
                    {%- set sum.text = (
                        '(' ~ as_double(term) ~ ' + ' ~ sum.text ~ ') / ' ~ n
                    ) -%}
                {%- endfor %}
                {{ as_double(z) }} + {{ sum.text }}
    end
{%- endmacro %}
