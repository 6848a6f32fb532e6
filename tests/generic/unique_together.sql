{#-
    Fails when two rows agree in all of the given columns, or one is null in
    them: the columns are the table's key.

    columns:  the columns of the key

    A failure returns one row per offending key, with how often it occurs.
-#}
{% test unique_together(model, columns) %}

select
    {{ columns | join(', ') }},
    count(*) as occurrence_count
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {% for column in columns -%}
        or count({{ column }}) = 0
    {% endfor %}

{% endtest %}
