{#-
    Fails when a claim is false, or unknown, for a row.

    claim:  a condition over the row's columns

    A failure returns the offending rows.
-#}
{% test holds(model, claim) %}

select *
from {{ model }}
where not coalesce({{ claim }}, false)

{% endtest %}
