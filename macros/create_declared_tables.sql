{#-
    Create, empty, every source table that the project itself fills: the rows
    that the seed reader could not parse and the tables of the post-step. Their
    YAML is the only definition; a table whose columns have changed there is
    replaced. So `dbt build` and its tests run before the first analysis too.

    A source takes part when its config says `meta: { created_here: true }`.
-#}
{% macro create_declared_tables() %}
    {% if not execute or flags.WHICH in ('parse', 'list', 'compile') %}
        {{ return('') }}
    {% endif %}

    {% set declared = graph.sources.values()
        | selectattr('config.meta.created_here', 'defined') | list %}

    {% for table in declared %}
        {% set wanted = [] %}
        {% for column in table.columns.values() %}
            {% do wanted.append(
                column.name ~ ' ' ~ (column.data_type | lower)
            ) %}
        {% endfor %}

        {% set relation = api.Relation.create(
            database=table.database,
            schema=table.schema,
            identifier=table.identifier,
            type='table'
        ) %}
        {% do adapter.create_schema(relation) %}

        {% set found = [] %}
        {% for column in run_query(columns_of_table(relation)).rows %}
            {% do found.append(column[0] ~ ' ' ~ (column[1] | lower)) %}
        {% endfor %}

        {% if found != wanted %}
            {% do run_query(
                'create or replace table ' ~ relation
                ~ ' (' ~ wanted | join(', ') ~ ')'
            ) %}
        {% endif %}
    {% endfor %}
{% endmacro %}
