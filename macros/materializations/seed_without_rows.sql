{#-
    Create a seed's table, empty, from its YAML, for an engine that is there for
    checks only. `create_declared_tables` has refused all but --empty.
-#}
{% materialization seed, adapter='postgres' %}
    {% set relation = this.incorporate(type='table') %}
    {% set columns = [] %}
    {% for column in engine_columns(model.columns).values() %}
        {% do columns.append(column.name ~ ' ' ~ column.data_type) %}
    {% endfor %}

    {{ run_hooks(pre_hooks) }}
    {% do adapter.drop_relation(relation) %}
    {% set created = run_query(
        'create table ' ~ relation ~ ' (' ~ columns | join(', ') ~ ')'
    ) %}

    {#- dbt's seed task expects a table by this name. -#}
    {% do store_result('agate_table', response='OK', agate_table=created) %}
    {% do store_raw_result(
        'main', message='CREATE TABLE', code='CREATE TABLE', rows_affected=0
    ) %}
    {% do persist_docs(relation, model) %}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
