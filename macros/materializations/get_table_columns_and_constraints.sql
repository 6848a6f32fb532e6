{#-
    The columns of a table under contract, which PostgreSQL creates before it
    fills it. dbt would write the contract's types as they stand; DuckDB reads
    them, and Spark makes tables from their queries.
-#}
{% macro postgres__get_table_columns_and_constraints() %}
    (
    {{ adapter.render_raw_columns_constraints(
        raw_columns=engine_columns(model.columns)
    ) | join(',\n    ') }}
    )
{% endmacro %}
