{#-
    How dbt-duckdb writes a table, group of users by group where the whole would
    not fit into the memory that the engine may use.

    A model takes part that names, as `meta: { cut_by: user_key }`, the column
    of its users: what a row of it says may depend on no other user. Every group
    is the same query under a condition on that column, which the engine takes
    down to what it reads.
-#}
{% macro duckdb__create_table_as(
    temporary, relation, compiled_code, language='sql', partitioned_by=none,
    sorted_by=none
) %}
    {% set column = (config.get('meta') or {}).get('cut_by') %}
    {% set groups = user_groups(column) if column and execute else [] %}
    {% if groups | length < 2 %}
        {{ return(dbt.duckdb__create_table_as(
            temporary, relation, compiled_code, language, partitioned_by,
            sorted_by
        )) }}
    {% endif %}

    {% for group in groups %}
        {{ 'create table ' ~ relation ~ ' as' if loop.first
            else 'insert into ' ~ relation }}
        select *
        from (
            {{ compiled_code }}
        ) as whole
        where {{ group }};
    {% endfor %}
{% endmacro %}
