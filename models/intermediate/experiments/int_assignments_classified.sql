{#-
    Grain: one row per readable line of the assignments file, with its verdict.

    A user seen in two variants is no error of the file: both rows stand, and
    the assignment decides between them.
-#}

with

assignments as (select * from {{ ref('stg_service__assignments') }}),

variants as (select * from {{ ref('stg_reference__variants') }}),

users as (select * from {{ ref('int_users_classified') }}),

known_users as (
    select user_id
    from users
    where row_verdict = 'canonical'
),

judged as (
    select
        assignments.*,
        case
            when
                assignments.experiment_id is null
                or assignments.user_id is null
                or assignments.variant is null
                or assignments.assigned_at is null
                then 'missing_key'
            when variants.variant is null then 'unknown_experiment'
            when
                assignments.assigned_at
                < cast(
                    '{{ var("earliest_event_at") }}'
                    as {{ data_type('timestamp') }}
                )
                or assignments.assigned_at
                >= cast(
                    '{{ var("latest_event_at") }}'
                    as {{ data_type('timestamp') }}
                )
                then 'impossible_time'
            when known_users.user_id is null then 'unknown_user'
        end as reject_reason
    from assignments
    left join variants
        on
            assignments.experiment_id = variants.experiment_id
            and assignments.variant = variants.variant
    left join known_users
        on assignments.user_id = known_users.user_id
),

numbered as (
    select
        *,
        row_number() over (
            partition by
                experiment_id,
                user_id,
                variant,
                assigned_at,
                reject_reason is null
            order by reached_at asc nulls last
        ) as copy_number
    from judged
),

final as (
    select
        -- keys
        experiment_id,
        user_id,

        -- attributes
        variant,
        reject_reason,
        case
            when reject_reason is not null then 'rejected'
            when copy_number > 1 then 'duplicate'
            else 'canonical'
        end as row_verdict,

        -- times
        assigned_at,
        reached_at
    from numbered
)

select * from final
