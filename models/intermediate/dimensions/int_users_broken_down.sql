{#-
    Grain: one row per user and breakdown: everybody (`all`), a dimension of
    users, or a declared pair of them, values joined by ` x `.

    Every mart broken down by users reads this. Marts of all users take the
    unit `user`; marts of new users take the others too, those with a row per
    day or step only the bounded ones.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

dimensioned as (select * from {{ ref('int_users_dimensioned') }}),

dimensions as (select * from {{ ref('int_dimensions_declared') }}),

final as (
    select
        user_id,
        user_key,
        'all' as dimension,
        'all' as dimension_value,
        'user' as dimension_unit,
        true as is_bounded
    from users
    union all
    select
        user_id,
        user_key,
        dimension,
        dimension_value,
        dimension_unit,
        is_bounded
    from dimensioned
    union all
    select
        first.user_id,
        first.user_key,
        dimensions.dimension,
        first.dimension_value || ' x ' || second.dimension_value
            as dimension_value,
        dimensions.dimension_unit,
        dimensions.is_bounded
    from dimensions
    inner join dimensioned as first
        on dimensions.first_dimension = first.dimension
    inner join dimensioned as second
        on
            first.user_key = second.user_key
            and dimensions.second_dimension = second.dimension
)

select * from final
