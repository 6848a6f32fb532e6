{#- What a model or seed is called in SQL, where no query refers to it.

    name:  the model or seed
-#}
{% macro relation_of(name) %}
    {{ return((
        graph.nodes.values() | selectattr('name', 'equalto', name) | first
    ).relation_name) }}
{% endmacro %}
