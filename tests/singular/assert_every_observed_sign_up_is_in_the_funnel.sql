{#- Whoever never played has dropped, and must not be left out. -#}

with

users as (select * from {{ ref('int_users_started') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

attempts as (select * from {{ ref('fct_onboarding_attempts') }}),

observed as (
    select users.user_id
    from users
    cross join bounds
    where
        {{ local_date('users.signed_up_at') }}
        between bounds.observed_from_date and bounds.watermark_date
),

final as (
    select
        observed.user_id as observed_user_id,
        attempts.user_id as attempting_user_id
    from observed
    full join attempts
        on observed.user_id = attempts.user_id
    where observed.user_id is null or attempts.user_id is null
)

select * from final
