{#-
    Fails when a mart is not broken down by every dimension of its unit, or by
    one that is not declared, or when a dimension in which everybody has one
    value does not add up to `all`.

    unit:          whose dimensions: `user`, `new_user`, `session` (those of
                   its user, and of its plays, which need not add up) or
                   `experiment` (those in which its users differ)
    counts:        the columns that add up
    within:        the columns within each of whose values they do
    is_bounded:    only dimensions that are not calendars
    is_single:     no pairs

    A failure returns the dimension, the place, the counts of both, and for each
    dimension what to do.
-#}
{% test breaks_down(
    model, unit, counts, within=[], is_bounded=false, is_single=false
) %}

with

dimensions as (
    select *
    from {{ ref('dim_dimensions') }}
    where
        value_count > 0
        {%- if is_single %}
        and not is_pair
        {%- endif %}
        {%- if is_bounded %}
        and is_bounded
        {%- endif %}
        {%- if unit in ('user', 'new_user') %}
        and dimension_unit in ('user', '{{ unit }}')
        {%- elif unit == 'session' %}
        and dimension_unit <> 'new_user'
        {%- else %}
        and is_settled
        {%- endif %}
),

counted as (
    select
        {% for column in within -%}
        {{ column }},
        {% endfor -%}
        {% for column in counts -%}
        coalesce(sum({{ column }}), 0) as {{ column }},
        {% endfor -%}
        dimension
    from {{ model }}
    group by
        {% for column in within -%}
        {{ column }},
        {% endfor -%}
        dimension
),

wanted as (
    {% if unit == 'experiment' -%}
    select
        experiment_id,
        dimension
    from {{ ref('int_segments_described') }}
    {%- if is_single %}
    where position(' x ' in dimension) = 0
    {%- endif %}
    union
    select
        experiment_id,
        dimension
    from counted
    {%- else -%}
    select 'all' as dimension
    union all
    select dimension
    from dimensions
    where dimension_unit in ('user', 'new_user')
    {%- endif %}
),

expected as (
    select
        {% for column in within + counts -%}
        everybody.{{ column }},
        {% endfor -%}
        wanted.dimension
    from counted as everybody
    {% if unit == 'experiment' -%}
    inner join wanted
        on everybody.experiment_id = wanted.experiment_id
    {%- else -%}
    cross join wanted
    {%- endif %}
    where everybody.dimension = 'all'
),

-- What does not add up to all has only to be there.
held as (
    select dimension
    from dimensions
    where dimension_unit not in ('user', 'new_user')
),

found as (
    select counted.*
    from counted
    left join held
        on counted.dimension = held.dimension
    where held.dimension is null
),

missing as (
    select held.dimension
    from held
    left join counted
        on held.dimension = counted.dimension
    where counted.dimension is null
),

final as (
    select
        coalesce(
            expected.dimension, found.dimension, missing.dimension
        ) as dimension,
        case
            when found.dimension is null
                then 'has no rows of the dimension '
            when expected.dimension is null
                then 'has rows that all has not, of the dimension '
            else 'does not add up to all by the dimension '
        end
        || coalesce(expected.dimension, found.dimension, missing.dimension)
            as problem,
        'break it down by int_users_broken_down or '
        || 'int_sessions_broken_down, which have all of them' as remedy
        {%- for column in within %},
        coalesce(expected.{{ column }}, found.{{ column }}) as {{ column }}
        {%- endfor %}
        {%- for column in counts %},
        found.{{ column }},
        expected.{{ column }} as all_{{ column }}
        {%- endfor %}
    from expected
    full join found
        on
            {% for column in within -%}
            expected.{{ column }} = found.{{ column }}
            and {% endfor -%}
            expected.dimension = found.dimension
    full join missing
        on expected.dimension = missing.dimension
    where
        expected.dimension is null
        {%- for column in counts %}
        or coalesce(found.{{ column }}, 0) <> expected.{{ column }}
        {%- endfor %}
)

select * from final

{% endtest %}
