{#-
    Make a table of the Parquet files that `make land` wrote for it, where they
    lie: nothing is copied, and a table of that name is replaced. The files are
    those of a folder named like the table, under STREAMING_LANDED, which the
    engine must be able to read; they are partitioned by the day of arrival.

    relation:  the table
-#}
{% macro take_landed_files(relation) %}
    {% set existing = load_relation(relation) %}
    {% if existing is not none %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% do run_query(
        "create table " ~ relation ~ " using parquet location '"
        ~ env_var('STREAMING_LANDED') ~ "/" ~ relation.identifier ~ "'"
    ) %}
    {% do run_query('msck repair table ' ~ relation) %}
{% endmacro %}
