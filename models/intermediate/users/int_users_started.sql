{#-
    Grain: one row per user, with the day that counting starts from.

    First activity is the first event in the user's history of a type that is
    active. A user who signed up before the first observed day may have been
    active before the log begins:
    such a user is established, not new, and has no cohort. Where the sign-up
    is unknown the log is taken at its word.
-#}

with

users as (select * from {{ ref('int_users_classified') }}),

events as (select * from {{ ref('int_events_bounded') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

first_activities as (
    select
        user_key,
        min(event_at) as first_active_at
    from events
    where is_active
    group by user_key
),

dated as (
    select
        users.*,
        first_activities.first_active_at,
        coalesce(
            {{ local_date('users.signed_up_at') }} < bounds.observed_from_date,
            false
        ) as is_established
    from users
    cross join bounds
    left join first_activities
        on users.user_key = first_activities.user_key
    where users.row_verdict = 'canonical'
),

final as (
    select
        -- keys
        user_id,
        user_key,

        -- attributes
        platform,
        country_code,
        subscription_status,
        acquisition_channel,
        is_established,
        first_active_at is not null and not is_established as is_new,

        -- times
        case
            when not is_established then {{ local_date('first_active_at') }}
        end as cohort_date,
        signed_up_at,
        first_active_at
    from dated
)

select * from final
