{#-
    Load a seed with DuckDB's own CSV reader instead of dbt's row-by-row one.

    Columns and types come from the seed's YAML; columns are found by name, so
    their order in the file is free, and columns that the YAML does not know
    are kept as text; a column marked `optional` that the file lacks is added
    empty. A line that cannot be read (a value that is not of its
    type, too few or too many columns, broken quotes) is set apart in
    `raw.malformed_rows` with file, line and reason; the rest is loaded. The
    table is replaced in one transaction.
-#}
{% materialization seed, adapter='duckdb' %}
    {% set relation = this.incorporate(type='table') %}
    {% set path = adapter.get_seed_file_path(model) %}
    {% set malformed = api.Relation.create(
        database=this.database, schema=this.schema, identifier='malformed_rows'
    ) %}

    {% if not model.columns %}
        {{ exceptions.raise_compiler_error(
            "seed '" ~ model.name ~ "' declares no columns. Add them with "
            ~ "their data_type to its YAML."
        ) }}
    {% endif %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}

    {% set header = csv_header(path) %}
    {% set missing = [] %}
    {% set absent = [] %}
    {% for name, column in model.columns.items() if name not in header %}
        {% do (absent if column.meta.get('optional') else missing).append(
            name
        ) %}
    {% endfor %}
    {% if missing %}
        {{ exceptions.raise_compiler_error(
            path ~ " has no column " ~ missing | join(', ') ~ ". Its header "
            ~ "reads: " ~ header | join(', ') ~ ". Add the column (its values "
            ~ "may be empty) or correct its name in the first line."
        ) }}
    {% endif %}

    {% set types = [] %}
    {% for name in header %}
        {% set declared = model.columns.get(name, {}).get('data_type') %}
        {% do types.append(
            "'" ~ name | replace("'", "''") ~ "': '"
            ~ (declared or 'varchar') ~ "'"
        ) %}
    {% endfor %}

    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- Raw text is read once and then lies there: compressing it would take
        nearly half of the time. -#}
    {% do run_query("set global force_compression = 'uncompressed'") %}

    {#- Not named `main`: dbt writes the SQL of `main` to a file that is called
        like the seed, and on top of it where the folder of seeds is given by
        an absolute path. -#}
    {% call statement('load') -%}
        create or replace table {{ relation }} as
        select *
        from read_csv(
            '{{ path | replace("'", "''") }}',
            columns = { {{ types | join(', ') }} },
            auto_detect = false,
            header = true,
            delim = ',',
            quote = '"',
            escape = '"',
            strict_mode = true,
            nullstr = '',
            store_rejects = true,
            rejects_table = 'seed_reader_errors',
            rejects_scan = 'seed_reader_scans',
            rejects_limit = 0
        )
    {%- endcall %}

    {% do run_query("set global force_compression = 'auto'") %}

    {% for name in absent %}
        {% do run_query(
            "alter table " ~ relation ~ " add column " ~ name ~ " "
            ~ model.columns[name].data_type
        ) %}
    {% endfor %}

    {% call statement('keep_malformed') -%}
        delete from {{ malformed }} where table_name = '{{ model.name }}';

        insert into {{ malformed }} by name
        select
            '{{ model.name }}' as table_name,
            '{{ model.original_file_path }}' as file_name,
            line as line_number,
            lower(
                min_by(cast(error_type as varchar), column_idx)
            ) as reason_name,
            min_by(error_message, column_idx) as reason_text,
            min_by(csv_line, column_idx) as line_text
        from seed_reader_errors
        group by all
        order by line_number;

        drop table seed_reader_errors;
        drop table seed_reader_scans
    {%- endcall %}

    {% set counted = run_query(
        "select count(*) as malformed_count from " ~ malformed
        ~ " where table_name = '" ~ model.name ~ "'"
    ) %}
    {% set malformed_count = counted.rows[0][0] | int %}
    {% set loaded_count = run_query(
        "select count(*) as loaded_count from " ~ relation
    ).rows[0][0] | int %}

    {#- A quotation mark that is never closed turns all that follows into one
        field: count the file's lines without regard to quotes. -#}
    {% set unquoted = run_query(
        "select line_number from " ~ malformed ~ " where table_name = '"
        ~ model.name ~ "' and reason_name = 'unquoted value' order by all"
    ).rows %}
    {% if unquoted %}
        {% set line_count = run_query(
            "select count(*) as line_count from read_csv('"
            ~ path | replace("'", "''") ~ "', columns = {'line': 'varchar'}, "
            ~ "auto_detect = false, header = true, delim = '\\x01', "
            ~ "quote = '', escape = '', strict_mode = false)"
        ).rows[0][0] | int %}
        {% if line_count > loaded_count + malformed_count %}
            {{ exceptions.raise_compiler_error(
                path ~ ", line " ~ unquoted[0][0] ~ ": a quotation mark is "
                ~ "opened and not closed, so that "
                ~ (line_count - loaded_count - malformed_count)
                ~ " further line(s) would be lost. Close it, or double it "
                ~ "where it belongs to the text."
            ) }}
        {% endif %}
    {% endif %}

    {#- dbt's seed task expects a table by this name; the rows stay where they
        are. -#}
    {% do store_result('agate_table', response='OK', agate_table=counted) %}
    {% do store_raw_result(
        'main',
        message='LOAD ' ~ loaded_count,
        code='LOAD',
        rows_affected=loaded_count
    ) %}
    {% if malformed_count > 0 %}
        {{ log(
            '  ' ~ model.original_file_path ~ ': ' ~ malformed_count
            ~ ' malformed line(s) set apart in '
            ~ malformed.include(database=false),
            info=True
        ) }}
    {% endif %}

    {% do persist_docs(relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
