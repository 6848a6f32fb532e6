{#-
    Add to a loaded seed the rows of the Parquet files in the folder of its name
    beside its CSV file, if there is one: large logs are written so, and logs
    that are loaded bit by bit. The CSV file is there all the same; its header
    names the columns, but for optional ones, and it may hold lines that columns
    with types cannot.

    A value that is not of its declared type sets its row apart, as in a CSV
    file, with its number in the file. Returns how many rows were loaded.

    relation:   the seed's table
    path:       its CSV file
    header:     the columns of that
    malformed:  the table of rows that are set apart
-#}
{% macro take_typed_files(relation, path, header, malformed) %}
    {% set files = path[:-4] | replace("'", "''") ~ '/*.parquet' %}
    {% if not run_query("select 1 from glob('" ~ files ~ "') limit 1").rows %}
        {{ return(0) }}
    {% endif %}

    {% set source = "read_parquet('" ~ files ~ "', union_by_name = true" %}
    {% set found = {} %}
    {% for row in run_query("describe from " ~ source ~ ")").rows %}
        {% do found.update({row[0]: row[1] | lower}) %}
    {% endfor %}
    {% for name in found if name not in header
        and not model.columns.get(name, {}).get('meta', {}).get('optional') %}
        {{ exceptions.raise_compiler_error(
            files ~ " has a column " ~ name ~ " that " ~ path ~ " does not "
            ~ "name. Add it to the first line of that file, or write the "
            ~ "Parquet files without it."
        ) }}
    {% endfor %}
    {% for name, column in model.columns.items()
        if name not in found and not column.meta.get('optional') %}
        {{ exceptions.raise_compiler_error(
            files ~ " has no column " ~ name ~ ". Write it; its values may be "
            ~ "empty."
        ) }}
    {% endfor %}

    {% set values = [] %}
    {% set faults = [] %}
    {% for name, type in found.items() %}
        {% set declared = model.columns.get(name, {}).get('data_type')
            or 'varchar' %}
        {% set value = 'try_cast("' ~ name ~ '" as ' ~ declared ~ ')' %}
        {% do values.append(value ~ ' as "' ~ name ~ '"') %}
        {% if type != declared %}
            {% do faults.append(
                'when "' ~ name ~ '" is not null and ' ~ value
                ~ " is null then '" ~ name ~ "'"
            ) %}
        {% endif %}
    {% endfor %}
    {% set fault = 'case ' ~ faults | join(' ') ~ ' end' if faults %}

    {% set loaded = run_query(
        "insert into " ~ relation ~ " by name select " ~ values | join(', ')
        ~ " from " ~ source ~ ")"
        ~ (" where " ~ fault ~ " is null" if fault else "")
    ) %}
    {% if fault %}
        {% do run_query(
            "insert into " ~ malformed ~ " by name select '" ~ model.name
            ~ "' as table_name, filename as file_name, "
            ~ "file_row_number + 1 as line_number, 'cast' as reason_name, "
            ~ "'column ' || " ~ fault ~ " || ' is not of its type' "
            ~ "as reason_text, cast(to_json(row_of_file) as varchar) as line_text "
            ~ "from " ~ source ~ ", filename = true, file_row_number = true) "
            ~ "as row_of_file where " ~ fault ~ " is not null"
        ) %}
    {% endif %}
    {{ return(loaded.rows[0][0] | int) }}
{% endmacro %}
