{#-
    The empty query that dbt compares a model with under its contract. Contracts
    are written in the project's words for types; here they become the engine's.
    dbt dispatches to this macro for every engine.
-#}
{% macro default__get_empty_schema_sql(columns) %}
    {% set translated = {} %}
    {% for name, column in columns.items() %}
        {% do translated.update({
            name: dict(column, data_type=data_type(column.data_type) | trim)
        }) %}
    {% endfor %}
    {{ return(dbt.default__get_empty_schema_sql(translated)) }}
{% endmacro %}
