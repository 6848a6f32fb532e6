{#-
    Grain: one row per experiment and user: the variant that counts.

    Intention to treat: the first assignment stands, whatever was delivered or
    changed later; at the same instant the first variant by name. Users seen in
    two variants stay, marked: mixed if they ever saw another variant, switched
    if they ended in one. Users alike in all of this, and of one segment, share
    a cell.
-#}

with

assignments as (select * from {{ ref('int_assignments_classified') }}),

variants as (select * from {{ ref('stg_reference__variants') }}),

users as (select * from {{ ref('int_users_segmented') }}),

numbered as (
    select
        *,
        row_number() over (
            partition by experiment_id, user_id
            order by assigned_at asc nulls last, variant asc nulls last
        ) as assignment_number,
        min(variant) over (partition by experiment_id, user_id)
        <> max(variant) over (partition by experiment_id, user_id) as is_mixed,
        first_value(variant) over (
            partition by experiment_id, user_id
            order by assigned_at desc nulls last, variant desc nulls last
        ) as last_variant
    from assignments
    where row_verdict = 'canonical'
),

first_assignments as (
    select
        numbered.experiment_id,
        numbered.user_id,
        numbered.variant,
        variants.is_control,
        numbered.is_mixed,
        numbered.variant <> numbered.last_variant as is_switched,
        numbered.reached_at is not null as is_reached,
        users.segment_number,
        {{ local_date('numbered.assigned_at') }} as assigned_date,
        numbered.assigned_at,
        numbered.reached_at
    from numbered
    inner join variants
        on
            numbered.experiment_id = variants.experiment_id
            and numbered.variant = variants.variant
    inner join users
        on numbered.user_id = users.user_id
    where numbered.assignment_number = 1
),

cells as (
    select
        experiment_id,
        variant,
        segment_number,
        is_mixed,
        is_switched,
        is_reached,
        row_number() over (
            order by
                experiment_id asc nulls last,
                variant asc nulls last,
                segment_number asc nulls last,
                is_mixed asc nulls last,
                is_switched asc nulls last,
                is_reached asc nulls last
        ) as arm_cell_number
    from first_assignments
    group by
        experiment_id,
        variant,
        segment_number,
        is_mixed,
        is_switched,
        is_reached
),

final as (
    select
        -- keys
        first_assignments.experiment_id,
        first_assignments.user_id,

        -- attributes
        first_assignments.variant,
        first_assignments.is_control,
        first_assignments.is_mixed,
        first_assignments.is_switched,
        first_assignments.is_reached,

        -- measures
        first_assignments.segment_number,
        cast(cells.arm_cell_number as integer) as arm_cell_number,

        -- times
        first_assignments.assigned_date,
        first_assignments.assigned_at,
        first_assignments.reached_at
    from first_assignments
    inner join cells
        on
            first_assignments.experiment_id = cells.experiment_id
            and first_assignments.variant = cells.variant
            and first_assignments.segment_number = cells.segment_number
            and first_assignments.is_mixed = cells.is_mixed
            and first_assignments.is_switched = cells.is_switched
            and first_assignments.is_reached = cells.is_reached
)

select * from final
