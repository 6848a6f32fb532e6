{#-
    Grain: one row per experiment, segment of its users, and breakdown that the
    segment belongs to.

    A breakdown is everybody (`all`), one settled dimension, or any two, named
    in the order of the alphabet (`country x platform`). A dimension in which
    all users of an experiment are alike breaks nothing down and is left out.
-#}

with

assignments as (select * from {{ ref('int_assignments_classified') }}),

users as (select * from {{ ref('int_users_segmented') }}),

dimensioned as (select * from {{ ref('int_users_dimensioned') }}),

segments as (
    select
        assignments.experiment_id,
        users.segment_number
    from assignments
    inner join users
        on assignments.user_id = users.user_id
    where assignments.row_verdict = 'canonical'
    group by assignments.experiment_id, users.segment_number
),

-- One user speaks for all of a segment.
speakers as (
    select
        segment_number,
        min(user_id) as user_id
    from users
    group by segment_number
),

single as (
    select
        segments.experiment_id,
        segments.segment_number,
        dimensioned.dimension,
        dimensioned.dimension_value
    from segments
    inner join speakers
        on segments.segment_number = speakers.segment_number
    inner join dimensioned
        on speakers.user_id = dimensioned.user_id
    where dimensioned.is_settled
),

telling as (
    select
        experiment_id,
        dimension
    from single
    group by experiment_id, dimension
    having min(dimension_value) <> max(dimension_value)
),

told as (
    select single.*
    from single
    inner join telling
        on
            single.experiment_id = telling.experiment_id
            and single.dimension = telling.dimension
),

final as (
    select
        experiment_id,
        segment_number,
        'all' as dimension,
        'all' as dimension_value
    from segments
    union all
    select
        experiment_id,
        segment_number,
        dimension,
        dimension_value
    from told
    union all
    select
        first.experiment_id,
        first.segment_number,
        first.dimension || ' x ' || second.dimension as dimension,
        first.dimension_value || ' x ' || second.dimension_value
            as dimension_value
    from told as first
    inner join told as second
        on
            first.experiment_id = second.experiment_id
            and first.segment_number = second.segment_number
            and first.dimension < second.dimension
)

select * from final
