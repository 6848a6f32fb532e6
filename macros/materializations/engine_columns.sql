{#-
    Columns as YAML declares them, with each type in the engine's own word.

    {{ engine_columns(model.columns) }}
    double  ->  double precision (PostgreSQL)
-#}
{% macro engine_columns(columns) %}
    {% set translated = {} %}
    {% for name, column in columns.items() %}
        {% do translated.update({
            name: dict(column, data_type=data_type(column.data_type) | trim)
        }) %}
    {% endfor %}
    {{ return(translated) }}
{% endmacro %}
