{#-
    The sample variance (n - 1) or covariance of whole numbers from their exact
    sums; null below two units. No cancellation, no dependence on row order:
    everything is summed and subtracted as integers and divided once.

    {{ sample_variance('count(*)', 'sum(x)', 'sum(x)', 'sum(x * x)') }}
    1, 2, 3  ->  1.0
-#}
{% macro sample_variance(units, sum_left, sum_right, sum_product) -%}
    cast(
        {{ units }} * ({{ sum_product }}) - ({{ sum_left }}) * ({{ sum_right }})
        as {{ data_type('double') }}
    ) / nullif(
        {{ as_double(units) }} * ({{ as_double(units) }} - 1), 0
    )
{%- endmacro %}
