{#-
    Grain: one row per experiment and user: the variant that counts.

    Intention to treat: the first assignment stands, whatever was delivered or
    changed later; at the same instant the first variant by name. Users seen in
    two variants stay, marked: mixed if they ever saw another variant, switched
    if they ended in one.
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

final as (
    select
        -- keys
        numbered.experiment_id,
        numbered.user_id,

        -- attributes
        numbered.variant,
        variants.is_control,
        numbered.is_mixed,
        numbered.variant <> numbered.last_variant as is_switched,
        numbered.reached_at is not null as is_reached,

        -- measures
        users.segment_number,

        -- times
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
)

select * from final
