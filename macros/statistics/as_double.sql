{#-
    A number as double, so that it divides and multiplies as one.

    {{ as_double('retained_users') }}
    3  ->  3.0
-#}
{% macro as_double(number) -%}
    cast({{ number }} as {{ data_type('double') }})
{%- endmacro %}
