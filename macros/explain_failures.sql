{#-
    Say what is wrong, and what to do, in the words of each failed test whose
    rows have a `problem` and a `remedy`; dbt itself only counts the rows.

    on-run-end: "{{ explain_failures(results) }}"
-#}
{% macro explain_failures(results) %}
    {% set failed = results
        | selectattr('status', 'equalto', 'fail')
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
        {% for line in lines | sort %}
            {% do log('  ' ~ line, info=True) %}
        {% endfor %}
    {% endfor %}
{% endmacro %}
