{#-
    Grain: one row per readable line of the measures file, with its verdict.

    Lines that say the same of a user and measure are copies. Where they say
    different things nobody knows which is true, and none of them stands: the
    order of lines must not decide. A measure may not be called like one that
    comes from events; one that no metric uses is no error. Beyond 1e100, which
    no service counts, squares would overflow.
-#}

with

measures as (select * from {{ ref('stg_service__measures') }}),

variants as (select * from {{ ref('stg_reference__variants') }}),

users as (select * from {{ ref('int_users_classified') }}),

assignments as (select * from {{ ref('int_assignments_classified') }}),

reserved as (select * from {{ ref('int_measures_declared') }}),

known_experiments as (
    select experiment_id
    from variants
    group by experiment_id
),

known_users as (
    select user_id
    from users
    where row_verdict = 'canonical'
),

assigned_users as (
    select
        experiment_id,
        user_id
    from assignments
    where row_verdict = 'canonical'
    group by experiment_id, user_id
),

judged as (
    select
        measures.*,
        case
            when
                measures.experiment_id is null
                or measures.user_id is null
                or measures.measure is null
                then 'missing_key'
            when measures.value is null then 'missing_value'
            when
                abs(measures.value) > 1e100
                or abs(coalesce(measures.value_before, 0)) > 1e100
                then 'not_a_number'
            when reserved.measure is not null then 'reserved_name'
            when known_experiments.experiment_id is null
                then 'unknown_experiment'
            when known_users.user_id is null then 'unknown_user'
            when assigned_users.user_id is null then 'not_assigned'
        end as broken_rule
    from measures
    left join reserved
        on measures.measure = reserved.measure
    left join known_experiments
        on measures.experiment_id = known_experiments.experiment_id
    left join known_users
        on measures.user_id = known_users.user_id
    left join assigned_users
        on
            measures.experiment_id = assigned_users.experiment_id
            and measures.user_id = assigned_users.user_id
),

compared as (
    select
        *,
        min(value) over same_measure < max(value) over same_measure
        or coalesce(
            min(value_before) over same_measure
            < max(value_before) over same_measure,
            false
        )
        or count(value_before) over same_measure
        not in (0, count(*) over same_measure) as is_contradicted,
        row_number() over (
            partition by
                experiment_id,
                user_id,
                measure,
                broken_rule is null
            order by
                value asc nulls last,
                value_before asc nulls last
        ) as copy_number
    from judged
    window
        same_measure as (
            partition by
                experiment_id,
                user_id,
                measure,
                broken_rule is null
        )
),

reasoned as (
    select
        *,
        case
            when broken_rule is not null then broken_rule
            when is_contradicted then 'contradicting_values'
        end as reject_reason
    from compared
),

final as (
    select
        -- keys
        experiment_id,
        user_id,

        -- attributes
        measure,
        reject_reason,
        case
            when reject_reason is not null then 'rejected'
            when copy_number > 1 then 'duplicate'
            else 'canonical'
        end as row_verdict,

        -- measures
        value,
        value_before
    from reasoned
)

select * from final
