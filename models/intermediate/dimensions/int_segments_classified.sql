{#-
    Grain: one row per readable line of the segments file, with its verdict.

    A user has one value of a dimension: copies are duplicates, contradicting
    lines are all rejected. The names and columns of declared dimensions are
    taken, and ` x ` joins two dimensions into one, so neither a name nor a
    value holds it.
-#}

{% set reserved = ['all', 'assigned_date'] -%}
{% for dimension in var('dimensions') -%}
    {% do reserved.extend([dimension.name, dimension.column]) -%}
{% endfor -%}

with

segments as (select * from {{ ref('stg_service__segments') }}),

users as (select * from {{ ref('int_users_classified') }}),

known_users as (
    select user_id
    from users
    where row_verdict = 'canonical'
),

judged as (
    select
        segments.user_id,
        segments.dimension,
        coalesce(segments.dimension_value, 'unknown') as dimension_value,
        case
            when segments.user_id is null or segments.dimension is null
                then 'missing_key'
            when
                segments.dimension in (
                    {% for name in reserved | unique(true) -%}
                        '{{ name }}'{{ ',' if not loop.last }}
                    {% endfor %}
                )
                or segments.dimension like '% x %'
                then 'reserved_name'
            when segments.dimension_value like '% x %' then 'reserved_text'
            when known_users.user_id is null then 'unknown_user'
        end as broken_rule
    from segments
    left join known_users
        on segments.user_id = known_users.user_id
),

compared as (
    select
        *,
        min(dimension_value) over same_dimension
        < max(dimension_value) over same_dimension as is_contradicted,
        row_number() over (
            partition by user_id, dimension, broken_rule is null
            order by dimension_value asc nulls last
        ) as copy_number
    from judged
    window
        same_dimension as (
            partition by user_id, dimension, broken_rule is null
        )
),

reasoned as (
    select
        *,
        case
            when broken_rule is not null then broken_rule
            when is_contradicted then 'contradicting_values'
        end as reject_reason
    from compared
),

final as (
    select
        -- keys
        user_id,

        -- attributes
        dimension,
        dimension_value,
        reject_reason,
        case
            when reject_reason is not null then 'rejected'
            when copy_number > 1 then 'duplicate'
            else 'canonical'
        end as row_verdict
    from reasoned
)

select * from final
