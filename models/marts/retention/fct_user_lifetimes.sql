{#-
    Grain: one row per new user who has been followed for a day or more.

    A user churns with the first run of `churn_after_days` days without a play.
    The lifetime runs from the day of the first play to the last active day
    before that run, both counted: whoever never comes back has lived for one
    day. Coming back after the run does not undo it.

    Whether a day was the last one is known only when the run after it has had
    time to happen. Everybody is therefore followed until `churn_after_days`
    days before the watermark, that day included, and no further. The end of
    follow-up hangs on the calendar alone, not on what the user did, and days
    that arrive later lengthen it without changing what was seen before it.
    Users who began after that day have not been followed yet and are left out.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

followed as (
    select
        users.user_id,
        users.platform,
        users.country_code,
        users.acquisition_channel,
        users.cohort_date,
        bounds.watermark_date,
        {{ days_between('users.cohort_date', 'bounds.watermark_date') }}
        - {{ var('churn_after_days') }}
        + 1 as followed_days
    from users
    cross join bounds
    where
        users.is_new
        and {{ days_between('users.cohort_date', 'bounds.watermark_date') }}
        >= {{ var('churn_after_days') }}
),

silences as (
    select
        followed.user_id,
        user_days.day_number,
        -- The silence after the last day lasts until the watermark so far.
        coalesce(
            lead(user_days.day_number) over (
                partition by followed.user_id
                order by user_days.day_number asc nulls last
            ),
            followed.followed_days + {{ var('churn_after_days') }}
        ) - user_days.day_number - 1 as silent_days
    from user_days
    inner join followed
        on user_days.user_id = followed.user_id
    where
        user_days.is_active
        and user_days.activity_date <= followed.watermark_date
),

churned as (
    select
        user_id,
        min(day_number) + 1 as churn_day_number
    from silences
    where silent_days >= {{ var('churn_after_days') }}
    group by user_id
),

final as (
    select
        -- keys
        followed.user_id,

        -- attributes
        followed.platform,
        followed.country_code,
        followed.acquisition_channel,
        churned.user_id is not null as is_churned,

        -- measures
        cast(
            coalesce(churned.churn_day_number, followed.followed_days)
            as integer
        ) as lifetime_days,

        -- times
        followed.cohort_date
    from followed
    left join churned
        on followed.user_id = churned.user_id
)

select * from final
