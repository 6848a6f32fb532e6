{#-
    How dbt-duckdb writes a table, group of users by group where the whole would
    not fit into the memory that the engine may use.

    A model takes part whose rows depend on no other user than their own. It
    says, as `meta`:

    cut_by:       the column of its users' keys
    event_bytes:  about what the work on an event holds in memory
    keeps:        a view that is dear to compute; its rows are kept in a table
                  while the groups are worked on

    Every group is the same query under a condition on that column, which the
    engine takes down to what it reads.
-#}
{% macro duckdb__create_table_as(
    temporary, relation, compiled_code, language='sql', partitioned_by=none,
    sorted_by=none
) %}
    {% set meta = config.get('meta') or {} %}
    {% set group_count = user_group_count(meta.event_bytes)
        if 'cut_by' in meta and execute else 1 %}
    {% if group_count < 2 %}
        {{ return(dbt.duckdb__create_table_as(
            temporary, relation, compiled_code, language, partitioned_by,
            sorted_by
        )) }}
    {% endif %}

    {% set events = relation_of('int_events_classified') %}
    {% set query = compiled_code %}
    {% if meta.keeps %}
        {% set view = relation_of(meta.keeps) %}
        {% set events = view[:-1] ~ '__kept"' %}
        {% set query = compiled_code | replace(view, events) %}
        {% do run_query('create or replace table ' ~ events ~ ' as from ' ~ view) %}
    {% endif %}
    {% for group in user_groups(meta.cut_by, events, group_count) %}
        {{ 'create table ' ~ relation ~ ' as' if loop.first
            else 'insert into ' ~ relation }}
        select *
        from (
            {{ query }}
        ) as whole
        where {{ group }};
    {% endfor %}
    {% if meta.keeps %}
        drop table {{ events }};
    {% endif %}
{% endmacro %}
