{#-
    Grain: one row per user: the segment of the users like it.

    Users who agree in every settled dimension, one known before any assignment,
    share a segment: a state that the treatment may have changed tells nobody
    apart. Statistics are summed once per segment and then added up to any
    breakdown.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

dimensioned as (select * from {{ ref('int_users_dimensioned') }}),

likenesses as (
    select
        user_id,
        {{ joined_text('dimension_value', 'dimension') }} as likeness
    from dimensioned
    where is_settled
    group by user_id
),

-- Where no dimension is settled all users are alike.
known_likenesses as (
    select
        users.user_id,
        coalesce(likenesses.likeness, '') as likeness
    from users
    left join likenesses
        on users.user_id = likenesses.user_id
),

segments as (
    select
        likeness,
        row_number() over (order by likeness asc nulls last) as segment_number
    from known_likenesses
    group by likeness
),

final as (
    select
        -- keys
        known_likenesses.user_id,

        -- measures
        cast(segments.segment_number as integer) as segment_number
    from known_likenesses
    inner join segments
        on known_likenesses.likeness = segments.likeness
)

select * from final
