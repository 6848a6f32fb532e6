{#-
    A folder's schema is its name: `marts`, not `main_marts`.

    {{ generate_schema_name('marts', node) }}  ->  marts
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
