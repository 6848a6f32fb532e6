{#- Mature and immature users of an arm are all the users assigned to it. -#}

with

arms as (select * from {{ ref('fct_experiment_arms') }}),

statistics as (select * from {{ ref('fct_experiment_statistics') }}),

final as (
    select
        statistics.experiment_id,
        statistics.metric_name,
        statistics.dimension_value,
        statistics.variant,
        arms.assigned_users,
        statistics.unit_count + statistics.immature_count as counted_users
    from statistics
    left join arms
        on
            statistics.experiment_id = arms.experiment_id
            and statistics.variant = arms.variant
            and statistics.dimension = arms.dimension
            and statistics.dimension_value = arms.dimension_value
    where
        statistics.policy = 'first_assignment'
        and position(' x ' in statistics.dimension) = 0
        and arms.assigned_users is distinct from
        statistics.unit_count + statistics.immature_count
)

select * from final
