{#-
    Grain: one row per user and dimension of users, with the value shown.
-#}

with

users as (select * from {{ ref('int_users_described') }}),

folded as (select * from {{ ref('int_dimensions_folded') }}),

dimensions as (select * from {{ ref('int_dimensions_declared') }}),

final as (
    select
        -- keys
        users.user_id,
        users.user_key,

        -- attributes
        users.dimension,
        folded.dimension_value,
        dimensions.dimension_unit,
        dimensions.is_settled,
        dimensions.is_bounded
    from users
    inner join folded
        on
            users.dimension = folded.dimension
            and users.dimension_value = folded.logged_value
    inner join dimensions
        on users.dimension = dimensions.dimension
)

select * from final
