{#-
    Create, empty, every source table that the project itself fills: the rows
    that the seed reader could not parse and the tables of the post-step. Their
    YAML is the only definition; a table whose columns have changed there is
    replaced. So `dbt build` and its tests run before the first analysis too.

    A source takes part when its config says `meta: { created_here: true }`. Of
    those, a table that says `landed: true` is one of the landed raw files where
    the engine reads such files.

    It runs first, so it is here that an engine which only checks refuses data:
    nobody takes empty marts for an answer.
-#}
{% macro create_declared_tables() %}
    {% if not execute or flags.WHICH not in (
        'build', 'run', 'seed', 'snapshot', 'run-operation'
    ) %}
        {{ return('') }}
    {% endif %}
    {% if flags.WHICH in ('build', 'seed') and not flags.EMPTY
        and not loads_data() %}
        {{ exceptions.raise_compiler_error(
            'The target ' ~ target.name ~ ' checks how the models are spelt '
            ~ 'and loads no data: add --empty to dbt build, or choose the '
            ~ 'target duckdb or spark.'
        ) }}
    {% endif %}

    {% set declared = graph.sources.values()
        | selectattr('config.meta.created_here', 'defined') | list %}

    {% for table in declared %}
        {% set wanted = [] %}
        {% for column in table.columns.values() %}
            {% do wanted.append(
                column.name ~ ' ' ~ data_type(column.data_type) | trim
            ) %}
        {% endfor %}

        {% set relation = api.Relation.create(
            database=table.database,
            schema=table.schema,
            identifier=table.identifier,
            type='table'
        ) %}
        {% do adapter.create_schema(relation) %}

        {% if table.config.meta.get('landed') and reads_landed_files() %}
            {% do take_landed_files(relation) %}
        {% else %}
            {% set existing = load_relation(relation) %}
            {% set found = [] %}
            {% if existing is not none %}
                {% for column in adapter.get_columns_in_relation(existing) %}
                    {% do found.append(
                        column.name ~ ' ' ~ (column.dtype | lower)
                    ) %}
                {% endfor %}
                {# Reading opened a transaction; nobody would end the last. #}
                {% do adapter.commit() %}
            {% endif %}
            {% if found != wanted %}
                {% if existing is not none %}
                    {% do run_query('drop table ' ~ existing) %}
                {% endif %}
                {% do run_query(
                    'create table ' ~ relation ~ ' (' ~ wanted | join(', ')
                    ~ ')' ~ table_format()
                ) %}
            {% endif %}
        {% endif %}
    {% endfor %}
{% endmacro %}
