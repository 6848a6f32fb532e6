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

exposures as (
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
        ) as cell_number
    from exposures
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
        exposures.experiment_id,
        exposures.user_id,

        -- attributes
        exposures.variant,
        exposures.is_control,
        exposures.is_mixed,
        exposures.is_switched,
        exposures.is_reached,

        -- measures
        exposures.segment_number,
        cast(cells.cell_number as integer) as cell_number,

        -- times
        exposures.assigned_date,
        exposures.assigned_at,
        exposures.reached_at
    from exposures
    inner join cells
        on
            exposures.experiment_id = cells.experiment_id
            and exposures.variant = cells.variant
            and exposures.segment_number = cells.segment_number
            and exposures.is_mixed = cells.is_mixed
            and exposures.is_switched = cells.is_switched
            and exposures.is_reached = cells.is_reached
)

select * from final
