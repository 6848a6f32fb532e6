{#-
    Publish what a build made, once all of it has passed: let go of its file,
    which then takes the place of the one that readers have. After a failure
    readers keep the version before, and the file stays where it is.

    Only for commands that can publish: the plugin of profiles.yml lends them
    the function of this name.

    on-run-end: "{{ publish_run(results, explain_failures(results)) }}"

    results:   what dbt found in this run
    warnings:  lines that whoever ran it must read
-#}
{% macro publish_run(results, warnings) %}
    {% if not execute or target.type != 'duckdb' or not run_query(
        "select 1 from duckdb_functions()"
        ~ " where function_name = 'publish_run'"
    ).rows %}
        {{ return('') }}
    {% endif %}

    {% set failed = results
        | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op'])
        | list %}
    {% if failed %}
        {% set file = run_query(
            "select path from duckdb_databases() where database_name = '"
            ~ target.database ~ "'"
        ).rows[0][0] %}
        {% do log(
            'Not published: ' ~ failed | length ~ ' node(s) did not pass; '
            ~ 'readers keep the version before. This one is in ' ~ file
            ~ ' until the next run.', info=True
        ) %}
        {{ return('') }}
    {% endif %}

    {% set definitions = {} %}
    {% for result in results
        if result.node.resource_type == 'model' and result.node.compiled_code %}
        {% do definitions.update({
            result.node.schema ~ '.' ~ result.node.name:
                local_md5(result.node.compiled_code)
        }) %}
    {% endfor %}
    {% set tests = results
        | selectattr('node.resource_type', 'equalto', 'test') | list %}
    {% set build = {
        'definitions': definitions,
        'passed_test_count':
            tests | selectattr('status', 'equalto', 'pass') | list | length,
        'warned_test_count':
            tests | selectattr('status', 'equalto', 'warn') | list | length,
        'warnings': warnings
    } %}

    {#- A file can be replaced once this process holds it no more. -#}
    {% do adapter.commit() %}
    {% do run_query('checkpoint') %}
    {% do run_query("attach ':memory:' as nothing") %}
    {% do run_query('use nothing') %}
    {% do run_query('detach ' ~ target.database) %}
    {% set said = run_query(
        "select publish_run('" ~ tojson(build) | replace("'", "''") ~ "')"
    ).rows[0][0] %}
    {% for line in said.splitlines() %}
        {% do log(line, info=True) %}
    {% endfor %}
{% endmacro %}
