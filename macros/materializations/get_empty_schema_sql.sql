{#-
    The empty query that dbt compares a model with under its contract. Contracts
    are written in the project's words for types; here they become the engine's.
    dbt dispatches to this macro for every engine.
-#}
{% macro default__get_empty_schema_sql(columns) %}
    {{ return(dbt.default__get_empty_schema_sql(engine_columns(columns))) }}
{% endmacro %}
