{#- Who enters a step are those who reached the one before, all or mature. -#}

with

steps as (select * from {{ ref('fct_onboarding_funnel') }}),

final as (
    select
        steps.dimension,
        steps.dimension_value,
        steps.step_number,
        steps.entered_users,
        steps.mature_entered_users,
        steps_before.reached_users as reached_users_before,
        steps_before.mature_reached_users as mature_reached_users_before
    from steps
    inner join steps as steps_before
        on
            steps.dimension = steps_before.dimension
            and steps.dimension_value = steps_before.dimension_value
            and steps.step_number = steps_before.step_number + 1
    where
        steps.entered_users <> steps_before.reached_users
        or steps.mature_entered_users <> steps_before.mature_reached_users
)

select * from final
