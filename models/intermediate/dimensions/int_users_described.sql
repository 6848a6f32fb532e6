{{ config(materialized='view') }}

{#-
    Grain: one row per user and dimension of users, as the log has it.

    Only new users have a value of a dimension of new users. The log's own
    dimensions join the declared ones; where a user has no value it is
    `unknown`.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

segments as (select * from {{ ref('int_segments_classified') }}),

known_segments as (
    select *
    from segments
    where row_verdict = 'canonical'
),

own_dimensions as (
    select dimension
    from known_segments
    group by dimension
),

final as (
    {% for dimension in var('dimensions')
        if dimension.unit in ('user', 'new_user') -%}
        select
            user_id,
            user_key,
            '{{ dimension.name }}' as dimension,
            coalesce(
                cast({{ dimension.column }} as {{ data_type('varchar') }}),
                'unknown'
            ) as dimension_value
        from users
        {% if dimension.unit == 'new_user' -%}
            where is_new
        {% endif -%}
        union all
    {% endfor -%}
    select
        users.user_id,
        users.user_key,
        own_dimensions.dimension,
        coalesce(known_segments.dimension_value, 'unknown') as dimension_value
    from users
    cross join own_dimensions
    left join known_segments
        on
            users.user_id = known_segments.user_id
            and own_dimensions.dimension = known_segments.dimension
)

select * from final
