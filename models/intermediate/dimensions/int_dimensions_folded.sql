{#-
    Grain: one row per dimension and value of the log, with the value that it is
    shown as.

    Of a bounded dimension the values of most users are shown, so many of them;
    the others share the value `other`. This is decided here once, for marts and
    experiments alike. Pairs are made of the values shown.
-#}

with

users as (select * from {{ ref('int_users_described') }}),

plays as (select * from {{ ref('int_plays_described') }}),

dimensions as (select * from {{ ref('int_dimensions_declared') }}),

play_users as (
    select distinct
        dimension,
        dimension_value,
        user_key
    from plays
),

counted as (
    select
        dimension,
        dimension_value,
        count(*) as user_count
    from users
    group by dimension, dimension_value
    union all
    select
        dimension,
        dimension_value,
        count(*) as user_count
    from play_users
    group by dimension, dimension_value
),

ranked as (
    select
        counted.*,
        dimensions.is_bounded,
        row_number() over (
            partition by counted.dimension
            order by
                counted.user_count desc nulls last,
                counted.dimension_value asc nulls last
        ) as place
    from counted
    inner join dimensions
        on counted.dimension = dimensions.dimension
),

judged as (
    select
        *,
        is_bounded
        and place > {{ var('dimension_value_limit') }}
        and dimension_value <> 'other' as is_folded
    from ranked
),

final as (
    select
        -- attributes
        dimension,
        dimension_value as logged_value,
        case when is_folded then 'other' else dimension_value end
            as dimension_value,
        is_folded,

        -- measures
        cast(user_count as integer) as user_count
    from judged
)

select * from final
