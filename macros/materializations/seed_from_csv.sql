{#-
    Load a seed with DuckDB's own CSV reader instead of dbt's row-by-row one.

    Columns and types come from the seed's YAML; columns are found by name, so
    their order in the file is free, and columns that the YAML does not know
    are kept as text; a column marked `optional` that the file lacks is added
    empty. An instant with an offset is converted to UTC. A line that cannot be
    read (a value that is not of its type, too few or too many columns, broken
    quotes, another encoding, more than 2 MB) is set apart in
    `raw.malformed_rows` with file, line and reason; the rest is loaded. The
    table is replaced in one transaction.

    Every line is accounted for: those of the file, counted without regard to
    quotes, are the header, those that were loaded and those set apart, and
    within quotes the further lines of a value. If some are missing, one thread
    reads the file again, because several lose a line that is longer than their
    buffers; if some are missing still, nothing is loaded.

    Parquet files in a folder of the seed's name are loaded too.
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

    {% set lines = csv_lines(path) %}
    {% set types = {} %}
    {% set texts = [] %}
    {% set instants = [] %}
    {% for name in header %}
        {% set declared = model.columns.get(name, {}).get('data_type')
            or 'varchar' %}
        {% set quoted = '"' ~ name | replace('"', '""') ~ '"' %}
        {% do types.update({name: declared}) %}
        {% if declared == 'varchar' %}
            {% do texts.append(quoted) %}
        {% elif declared == 'timestamp' %}
            {% do instants.append(quoted) %}
        {% endif %}
    {% endfor %}

    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set read = namespace(lost_count=none, unquoted=[]) %}
    {% for parallel in ['true', 'false']
        if read.lost_count != 0 and not read.unquoted %}
        {% set read.parallel = parallel %}
        {#- Not named `main`: dbt writes the SQL of `main` to a file that is
            called like the seed, and on top of it where the folder of seeds is
            given by an absolute path. -#}
        {% call statement('load') -%}
            create or replace table {{ relation }} as
            select *
            from {{ csv_rows(path, types, [
                "store_rejects = true",
                "rejects_table = 'seed_reader_errors'",
                "rejects_scan = 'seed_reader_scans'",
                "rejects_limit = 0",
                "parallel = " ~ parallel,
            ]) }}
        {%- endcall %}

        {% call statement('keep_malformed') -%}
            delete from {{ malformed }} where table_name = '{{ model.name }}';

            insert into {{ malformed }} by name
            select
                '{{ model.name }}' as table_name,
                '{{ model.original_file_path }}' as file_name,
                line as line_number,
                lower(
                    min_by(cast(error_type as varchar), coalesce(column_idx, 0))
                ) as reason_name,
                min_by(error_message, coalesce(column_idx, 0)) as reason_text,
                min_by(csv_line, coalesce(column_idx, 0)) as line_text
            from seed_reader_errors
            group by all
            order by line_number;

            drop table seed_reader_errors;
            drop table seed_reader_scans
        {%- endcall %}

        {% set read.counted = run_query(
            "select count(*) as malformed_count from " ~ malformed
            ~ " where table_name = '" ~ model.name ~ "'"
        ) %}
        {% set read.malformed_count = read.counted.rows[0][0] | int %}
        {% set read.loaded_count = run_query(
            "select count(*) as loaded_count from " ~ relation
        ).rows[0][0] | int %}
        {% set read.lost_count = [
            lines.line_count - 1 - read.loaded_count - read.malformed_count, 0
        ] | max %}
        {% if read.lost_count > 0 %}
            {% set read.inner_count = csv_inner_lines(
                relation, texts, malformed, model.name
            ) %}
            {% set read.lost_count = [
                read.lost_count - read.inner_count, 0
            ] | max %}
            {% set read.unquoted = run_query(
                "select line_number from " ~ malformed
                ~ " where table_name = '" ~ model.name ~ "' and reason_name in "
                ~ "('unquoted value', 'line size over maximum') order by all"
            ).rows if read.lost_count > 0 else [] %}
        {% endif %}
    {% endfor %}

    {#- As `timestamp` the reader takes an instant without its offset; as
        `timestamptz` it nulls what is none without a word. So the rows that it
        took are read again as text, and converted. -#}
    {% if instants and lines.has_offsets and read.lost_count == 0 %}
        {% set converted = [] %}
        {% set readable = [] %}
        {% for name in instants %}
            {% do converted.append(
                'cast(cast(' ~ name ~ ' as timestamptz) as timestamp) as '
                ~ name
            ) %}
            {% do readable.append(
                '(' ~ name ~ ' is null or try_cast(' ~ name
                ~ ' as timestamp) is not null)'
            ) %}
        {% endfor %}
        {% for name, type in types.items() if type == 'timestamp' %}
            {% do types.update({name: 'varchar'}) %}
        {% endfor %}
        {% call statement('convert') -%}
            create or replace table {{ relation }} as
            select * replace ({{ converted | join(', ') }})
            from {{ csv_rows(path, types, [
                "ignore_errors = true",
                "parallel = " ~ read.parallel,
            ]) }}
            where {{ readable | join(' and ') }}
        {%- endcall %}
        {% set read.lost_count = read.loaded_count - run_query(
            "select count(*) as loaded_count from " ~ relation
        ).rows[0][0] | int %}
    {% endif %}

    {#- A quotation mark that is never closed turns all that follows into one
        field. -#}
    {% if read.lost_count != 0 %}
        {{ exceptions.raise_compiler_error(
            path ~ (
                ", line " ~ read.unquoted[0][0] ~ ": a quotation mark is "
                ~ "opened and not closed, so that " ~ read.lost_count
                ~ " further line(s) would be lost. Close it, or double it "
                ~ "where it belongs to the text."
                if read.unquoted else
                ": " ~ read.lost_count ~ " of " ~ lines.line_count
                ~ " lines were neither loaded nor set apart. Look for "
                ~ "quotation marks around several lines, and remove them."
            )
        ) }}
    {% endif %}

    {% for name in absent %}
        {% do run_query(
            "alter table " ~ relation ~ " add column " ~ name ~ " "
            ~ model.columns[name].data_type
        ) %}
    {% endfor %}

    {% set read.loaded_count = read.loaded_count + take_typed_files(
        relation, path, header, malformed
    ) %}
    {% set read.counted = run_query(
        "select count(*) as malformed_count from " ~ malformed
        ~ " where table_name = '" ~ model.name ~ "'"
    ) %}
    {% set read.malformed_count = read.counted.rows[0][0] | int %}

    {#- dbt's seed task expects a table by this name; the rows stay where they
        are. -#}
    {% do store_result(
        'agate_table', response='OK', agate_table=read.counted
    ) %}
    {% do store_raw_result(
        'main',
        message='LOAD ' ~ read.loaded_count,
        code='LOAD',
        rows_affected=read.loaded_count
    ) %}
    {% if read.malformed_count > 0 %}
        {{ log(
            '  ' ~ model.original_file_path ~ ': ' ~ read.malformed_count
            ~ ' malformed line(s) set apart in '
            ~ malformed.include(database=false),
            info=True
        ) }}
    {% endif %}
    {% if read.inner_count %}
        {{ log(
            '  ' ~ model.original_file_path ~ ': ' ~ read.inner_count
            ~ ' line(s) continue a value in quotation marks',
            info=True
        ) }}
    {% endif %}

    {% do persist_docs(relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
