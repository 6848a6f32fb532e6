{#- A user has one value in each dimension, so each adds up to `all`. -#}

with

steps as (select * from {{ ref('fct_onboarding_funnel') }}),

totals as (
    select
        dimension,
        step_number,
        sum(entered_users) as entered_users,
        sum(reached_users) as reached_users,
        sum(pending_users) as pending_users,
        sum(mature_entered_users) as mature_entered_users,
        sum(mature_reached_users) as mature_reached_users
    from steps
    group by dimension, step_number
),

final as (
    select totals.*
    from totals
    inner join totals as everybody
        on
            totals.step_number = everybody.step_number
            and everybody.dimension = 'all'
    where
        totals.entered_users <> everybody.entered_users
        or totals.reached_users <> everybody.reached_users
        or totals.pending_users <> everybody.pending_users
        or totals.mature_entered_users <> everybody.mature_entered_users
        or totals.mature_reached_users <> everybody.mature_reached_users
)

select * from final
