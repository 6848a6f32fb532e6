{#-
    The column names in a CSV file's first line, in order. The line is taken as
    it stands, so that no fault further down can hide it, and by one thread, so
    that it is the first.

    {{ csv_header('seeds/users.csv') }}  ->  ['user_id', 'signed_up_at', ...]
-#}
{% macro csv_header(path) %}
    {% set first_line %}
        select line
        from read_csv(
            '{{ path | replace("'", "''") }}',
            columns = { 'line': 'varchar' },
            auto_detect = false,
            header = false,
            delim = '\x01',
            quote = '',
            escape = '',
            strict_mode = false,
            ignore_errors = true,
            parallel = false
        )
        limit 1
    {% endset %}
    {% set names = [] %}
    {% for row in run_query(first_line).rows %}
        {% for name in row[0].split(',') %}
            {% do names.append(name.strip().strip('"')) %}
        {% endfor %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}
