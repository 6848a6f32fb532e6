{#-
    Stop before anything is built where the engine reads instants in another
    zone than UTC: all of them would be moved, and no test would see it.

    on-run-start: "{{ refuse_other_zones() }}"
-#}
{% macro refuse_other_zones() %}
    {% if execute and flags.WHICH in ('build', 'run', 'seed', 'test') %}
        {% set zone = run_query('select ' ~ session_zone()).rows[0][0] %}
        {% if zone != 'UTC' %}
            {{ exceptions.raise_compiler_error(
                "the session's time zone is " ~ zone ~ ", and instants are "
                ~ "UTC here. Set it to UTC under this target in profiles.yml, "
                ~ "as the project's own profiles.yml does."
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
