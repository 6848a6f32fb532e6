{#-
    Say what is wrong or worth knowing, and what to do, in the words of each test
    that failed or warned and whose rows have a `problem` and a `remedy`; dbt
    itself only counts the rows.

    on-run-end: "{{ explain_failures(results) }}"

    Returns the lines that were said.
-#}
{% macro explain_failures(results) %}
    {% set said = [] %}
    {% set failed = results
        | selectattr('status', 'in', ['fail', 'warn'])
        | selectattr('node.compiled_code') | list %}
    {% for result in failed if 'as remedy' in result.node.compiled_code %}
        {% do log(result.node.name ~ ':', info=True) %}
        {% set lines = [] %}
        {% for row in run_query(result.node.compiled_code).rows %}
            {% set where = [row.get('experiment_id'), row.get('metric_name')]
                | select | join(', ') %}
            {% do lines.append(
                (where ~ ': ' if where else '') ~ row['problem'] ~ '; '
                ~ row['remedy'] ~ '.'
            ) %}
        {% endfor %}
        {% for line in lines | unique | sort %}
            {% do log('  ' ~ line, info=True) %}
            {% do said.append(line) %}
        {% endfor %}
    {% endfor %}
    {{ return(said) }}
{% endmacro %}
