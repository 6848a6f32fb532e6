{#-
    Grain: one row per user: the segment of the users like it.

    Users who agree in every dimension share a segment. Statistics are summed
    once per segment and then added up to any breakdown.
-#}

with

described as (select * from {{ ref('int_users_described') }}),

likenesses as (
    select
        user_id,
        {{ joined_text('dimension_value', 'dimension') }} as likeness
    from described
    group by user_id
),

segments as (
    select
        likeness,
        row_number() over (order by likeness asc nulls last) as segment_number
    from likenesses
    group by likeness
),

final as (
    select
        -- keys
        likenesses.user_id,

        -- measures
        cast(segments.segment_number as integer) as segment_number
    from likenesses
    inner join segments
        on likenesses.likeness = segments.likeness
)

select * from final
