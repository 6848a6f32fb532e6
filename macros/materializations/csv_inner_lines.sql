{#-
    Count the lines of a CSV file that continue a value within quotes: of rows
    that were loaded, and of rows set apart for another reason than a quotation
    mark that is not closed. Empty lines are not counted, so that each run of
    line ends is one.

    relation:    the table that was loaded
    columns:     its columns of text, quoted
    malformed:   the table of lines that were set apart
    table_name:  under which name they stand there
-#}
{% macro csv_inner_lines(relation, columns, malformed, table_name) %}
    {% set counts = [] %}
    {% for column in columns %}
        {% do counts.append(
            "coalesce(sum(len(regexp_extract_all(" ~ column
            ~ ", '[\r\n]+')) ), 0)"
        ) %}
    {% endfor %}
    {{ return(run_query(
        "select (select " ~ (counts or ["0"]) | join(" + ") ~ " from "
        ~ relation ~ ") + (select coalesce(sum(len(regexp_extract_all("
        ~ "line_text, '[\r\n]+'))), 0) from " ~ malformed
        ~ " where table_name = '" ~ table_name ~ "' and reason_name not in "
        ~ "('unquoted value', 'line size over maximum')) as line_count"
    ).rows[0][0] | int) }}
{% endmacro %}
