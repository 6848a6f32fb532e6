{#-
    Fails when a column's total differs from the total it was built from: rows
    lost in a join, fanned out, or filtered without saying so.

    of:         the model that holds the original total
    of_column:  its column there, when the name differs

    A failure returns one row: both totals and the drift between them.
-#}
{% test conserves_total(model, column_name, of, of_column=none) %}

with

here as (select sum({{ column_name }}) as total from {{ model }}),

there as (select sum({{ of_column or column_name }}) as total from {{ of }}),

final as (
    select
        coalesce(here.total, 0) as total_here,
        coalesce(there.total, 0) as total_there,
        coalesce(here.total, 0) - coalesce(there.total, 0) as drift
    from here
    cross join there
)

select * from final
where drift <> 0

{% endtest %}
