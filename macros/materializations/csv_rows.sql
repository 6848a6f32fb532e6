{#-
    The call that reads a CSV file with its header, as every raw file is
    written: commas, double quotes, doubled where they belong to the text, empty
    for null.

    path:     the file
    types:    the type of each column, by name, in the order of the file
    options:  further options of DuckDB's read_csv
-#}
{% macro csv_rows(path, types, options) -%}
    read_csv(
        '{{ path | replace("'", "''") }}',
        columns = {
            {%- for name, type in types.items() %}
            '{{ name | replace("'", "''") }}': '{{ type }}'
            {{- "," if not loop.last }}
            {%- endfor %}
        },
        auto_detect = false,
        header = true,
        delim = ',',
        quote = '"',
        escape = '"',
        strict_mode = true,
        nullstr = '',
        {{ options | join(",\n        ") }}
    )
{%- endmacro %}
