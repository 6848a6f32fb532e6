{#- Grain: one row per user. -#}

with

users as (select * from {{ ref('int_users_started') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

totals as (
    select
        user_id,
        count(*) filter (where is_active) as active_day_count,
        sum(session_count) as session_count,
        sum(play_count) as play_count,
        sum(watched_seconds) as watched_seconds,
        max(activity_date) filter (where is_active) as last_active_date
    from user_days
    group by user_id
),

final as (
    select
        -- keys
        users.user_id,

        -- attributes
        users.platform,
        users.country_code,
        users.subscription_status,
        users.acquisition_channel,
        users.is_established,
        users.is_new,

        -- measures
        cast(coalesce(totals.active_day_count, 0) as integer)
            as active_day_count,
        cast(coalesce(totals.session_count, 0) as integer) as session_count,
        cast(coalesce(totals.play_count, 0) as integer) as play_count,
        cast(coalesce(totals.watched_seconds, 0) as bigint) as watched_seconds,

        -- times
        users.cohort_date,
        totals.last_active_date,
        users.signed_up_at,
        users.first_active_at
    from users
    left join totals
        on users.user_id = totals.user_id
)

select * from final
