{#-
    Count the lines of a CSV file as they stand, without regard to quotes, and
    say whether an instant in it may have an offset from UTC, such as
    10:00:00+02:00 (Z and +00:00 are none). Empty lines are not counted; the
    header is.

    Threads that share a file pass over a line longer than their buffers without
    an error. Such a line leaves more bytes in the file than in the lines that
    were read; then one thread reads again, and lists what it cannot read.

    {{ csv_lines('seeds/users.csv') }}
    ->  { 'line_count': 64001, 'has_offsets': false }
-#}
{% macro csv_lines(path) %}
    {% set file_bytes = run_query(
        "select size from read_blob('" ~ path | replace("'", "''") ~ "')"
    ).rows[0][0] | int %}
    {#- After a time of day, and not zero. -#}
    {% set offset = ':[0-9.]+[-+]([1-9]|0[1-9]|00:?([1-9]|0[1-9]))' %}
    {% set found = namespace(line_count=none) %}
    {% for parallel in ['true', 'false'] if found.line_count is none %}
        {% set row = run_query(
            "select count(*) as all_count, count(line) as text_count, "
            ~ "coalesce(sum(strlen(line)), 0) as text_bytes, "
            ~ "coalesce(bool_or(regexp_matches(line, '" ~ offset
            ~ "')), false) as has_offsets from read_csv('"
            ~ path | replace("'", "''") ~ "', columns = {'line': 'varchar'}, "
            ~ "auto_detect = false, header = false, "
            ~ "delim = '\x01\x02\x03\x04', quote = '', escape = '', "
            ~ "strict_mode = false, store_rejects = true, rejects_limit = 0, "
            ~ "rejects_table = 'line_reader_errors', "
            ~ "rejects_scan = 'line_reader_scans', parallel = " ~ parallel ~ ")"
        ).rows[0] %}
        {% set unread_count = run_query(
            "select count(distinct line) as unread_count "
            ~ "from line_reader_errors"
        ).rows[0][0] | int %}
        {% do run_query(
            "drop table line_reader_errors; drop table line_reader_scans"
        ) %}
        {#- Ends of one or two bytes, perhaps none after the last line, and
            perhaps a mark of the encoding, which is no part of the first. -#}
        {% set ends = file_bytes - row['text_bytes'] | int %}
        {% set all = row['all_count'] | int %}
        {% if parallel == 'false' or ends in [
            all, all - 1, all + 3, all + 2,
            2 * all, 2 * all - 2, 2 * all + 3, 2 * all + 1
        ] %}
            {% set found.line_count = row['text_count'] | int + unread_count %}
            {% set found.has_offsets = row['has_offsets'] %}
        {% endif %}
    {% endfor %}
    {{ return({
        'line_count': found.line_count, 'has_offsets': found.has_offsets
    }) }}
{% endmacro %}
