{#-
    The column names in a CSV file's first line, in order.

    {{ csv_header('seeds/users.csv') }}  ->  ['user_id', 'signed_up_at', ...]
-#}
{% macro csv_header(path) %}
    {% set described %}
        describe
        select *
        from read_csv(
            '{{ path | replace("'", "''") }}',
            header = true,
            all_varchar = true,
            delim = ',',
            quote = '"',
            escape = '"',
            ignore_errors = true,
            sample_size = 1
        )
    {% endset %}
    {{ return(run_query(described).columns[0].values() | list) }}
{% endmacro %}
