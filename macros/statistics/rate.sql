{#-
    A fraction as double; null, never 0, when the whole is empty.

    {{ rate('retained_users', 'eligible_users') }}
    3 of 12  ->  0.25
-#}
{% macro rate(part, whole) -%}
    {{ as_double(part) }} / nullif({{ as_double(whole) }}, 0)
{%- endmacro %}
