{#-
    Grain: one row per declared variant and value of a dimension, with users.

    The sample-ratio check compares these counts with the shares that the
    experiment declares: over all users, by what was known of them before
    (`platform` and the like), and by the day of assignment (`assigned_date`). A
    variant that nobody got has rows with 0.
-#}

with

assignments as (select * from {{ ref('fct_experiment_assignments') }}),

segments as (select * from {{ ref('int_segments_described') }}),

variants as (select * from {{ ref('stg_reference__variants') }}),

counted as (
    select
        experiment_id,
        variant,
        segment_number,
        assigned_date,
        count(*) as assigned_users,
        count(*) filter (where is_mixed) as mixed_users,
        count(*) filter (where is_switched) as switched_users,
        count(*) filter (where is_reached) as reached_users
    from assignments
    group by experiment_id, variant, segment_number, assigned_date
),

broken_down as (
    select
        segments.dimension,
        segments.dimension_value,
        counted.*
    from counted
    inner join segments
        on
            counted.experiment_id = segments.experiment_id
            and counted.segment_number = segments.segment_number
    where position(' x ' in segments.dimension) = 0
    union all
    select
        'assigned_date' as dimension,
        cast(assigned_date as {{ data_type('varchar') }}) as dimension_value,
        *
    from counted
),

summed as (
    select
        experiment_id,
        variant,
        dimension,
        dimension_value,
        sum(assigned_users) as assigned_users,
        sum(mixed_users) as mixed_users,
        sum(switched_users) as switched_users,
        sum(reached_users) as reached_users
    from broken_down
    group by experiment_id, variant, dimension, dimension_value
),

-- Whatever holds a user of one variant is a row of every variant.
places as (
    select
        experiment_id,
        dimension,
        dimension_value
    from summed
    group by experiment_id, dimension, dimension_value
    union
    select
        experiment_id,
        'all' as dimension,
        'all' as dimension_value
    from variants
),

final as (
    select
        -- keys
        variants.experiment_id,

        -- attributes
        variants.experiment_name,
        variants.variant,
        places.dimension,
        places.dimension_value,
        variants.is_control,

        -- measures
        variants.planned_users,
        variants.look_days,
        variants.expected_share,
        cast(coalesce(summed.assigned_users, 0) as integer) as assigned_users,
        cast(coalesce(summed.mixed_users, 0) as integer) as mixed_users,
        cast(coalesce(summed.switched_users, 0) as integer) as switched_users,
        cast(coalesce(summed.reached_users, 0) as integer) as reached_users
    from variants
    inner join places
        on variants.experiment_id = places.experiment_id
    left join summed
        on
            variants.experiment_id = summed.experiment_id
            and variants.variant = summed.variant
            and places.dimension = summed.dimension
            and places.dimension_value = summed.dimension_value
)

select * from final
