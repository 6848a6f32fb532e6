{#-
    Grain: one row per user known to have signed up on an observed day.

    Sign-up opens the only attempt, so a user who never played is in it. The
    window is elapsed time, `onboarding_window_days` times 24 hours, and holds
    its last instant. Milestones that one play reaches follow each other.
-#}

with

milestones as (select * from {{ ref('int_milestones_reached') }}),

users as (select * from {{ ref('int_users_started') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

events as (
    select
        user_id as unit_id,
        event_name,
        event_at,
        event_id
    from milestones
),

attempts as (
    {{ funnel(
        events='events',
        watermark='bounds',
        steps=var('onboarding_steps'),
        window_seconds=var('onboarding_window_days') * 86400
    ) }}
),

final as (
    select
        -- keys
        users.user_id,

        -- attributes
        users.platform,
        users.country_code,
        users.acquisition_channel,
        attempts.state_name,
        attempts.is_mature,

        -- measures
        attempts.reached_step_count,

        -- times
        users.cohort_date,
        attempts.step_1_at,
        attempts.step_2_at,
        attempts.step_3_at,
        attempts.step_4_at
    from attempts
    inner join users
        on attempts.unit_id = users.user_id
)

select * from final
