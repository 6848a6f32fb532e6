{#- Mature and immature users of an arm are all the users assigned to it. -#}

with

arms as (select * from {{ ref('fct_experiment_arms') }}),

statistics as (select * from {{ ref('fct_experiment_statistics') }}),

final as (
    select
        statistics.experiment_id,
        statistics.metric_name,
        statistics.variant,
        arms.assigned_users,
        statistics.unit_count + statistics.immature_count as counted_users
    from statistics
    left join arms
        on
            statistics.experiment_id = arms.experiment_id
            and statistics.variant = arms.variant
    where
        arms.assigned_users is distinct from
        statistics.unit_count + statistics.immature_count
)

select * from final
