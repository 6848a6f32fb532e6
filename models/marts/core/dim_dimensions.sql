{#-
    Grain: one row per dimension that numbers are broken down by, pairs
    included.

    What is declared, and what a log's own user_segments.csv adds, in the order
    in which they are told. Beyond so many values those of fewest users share
    one, `other`: here is how many.
-#}

with

dimensions as (select * from {{ ref('int_dimensions_declared') }}),

folded as (select * from {{ ref('int_dimensions_folded') }}),

users as (select * from {{ ref('int_users_broken_down') }}),

sessions as (select * from {{ ref('int_sessions_broken_down') }}),

single_counts as (
    select
        dimension,
        count(*) as value_count,
        count(*) filter (where is_folded) as folded_value_count,
        sum(user_count) filter (where is_folded) as folded_user_count
    from folded
    group by dimension
),

shown_pairs as (
    select
        dimension,
        dimension_value
    from users
    where position(' x ' in dimension) > 0
    union
    select
        dimension,
        dimension_value
    from sessions
    where position(' x ' in dimension) > 0
),

pair_counts as (
    select
        dimension,
        count(*) as value_count
    from shown_pairs
    group by dimension
),

final as (
    select
        -- keys
        dimensions.dimension,

        -- attributes
        dimensions.label,
        dimensions.dimension_unit,
        dimensions.is_settled,
        dimensions.is_bounded,
        dimensions.is_pair,

        -- measures
        dimensions.dimension_number,
        cast(
            coalesce(
                single_counts.value_count, pair_counts.value_count, 0
            ) as integer
        ) as value_count,
        cast(coalesce(single_counts.folded_value_count, 0) as integer)
            as folded_value_count,
        cast(coalesce(single_counts.folded_user_count, 0) as integer)
            as folded_user_count
    from dimensions
    left join single_counts
        on dimensions.dimension = single_counts.dimension
    left join pair_counts
        on dimensions.dimension = pair_counts.dimension
)

select * from final
