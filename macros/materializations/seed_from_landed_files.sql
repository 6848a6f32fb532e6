{#-
    Take a seed from the Parquet files into which `make land` has read it, with
    the same types and the same lines set apart as in DuckDB.
-#}
{% materialization seed, adapter='spark' %}
    {% set relation = this.incorporate(type='table') %}

    {{ run_hooks(pre_hooks) }}
    {% do take_landed_files(relation) %}
    {% set counted = run_query(
        'select count(*) as row_count from ' ~ relation
    ) %}

    {#- dbt's seed task expects a table by this name; the rows stay where they
        are. -#}
    {% do store_result('agate_table', response='OK', agate_table=counted) %}
    {% set row_count = counted.rows[0][0] | int %}
    {% do store_raw_result(
        'main',
        message='TAKE ' ~ row_count,
        code='TAKE',
        rows_affected=row_count
    ) %}
    {{ run_hooks(post_hooks) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
