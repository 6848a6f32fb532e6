{#-
    Grain: one row per user and run of consecutive active days.

    A streak ends with its last active day; one that reaches the watermark's
    day may go on, and is open. Days after the watermark are not loaded whole
    and belong to no streak yet.
-#}

with

user_days as (select * from {{ ref('fct_user_days') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

active_days as (
    select
        user_days.user_id,
        user_days.activity_date,
        bounds.watermark_date,
        row_number() over (
            partition by user_days.user_id
            order by user_days.activity_date asc nulls last
        ) as active_day_number
    from user_days
    cross join bounds
    where
        user_days.is_active
        and user_days.activity_date <= bounds.watermark_date
),

-- Days in a row lie as far from their ordinals as each other.
anchored as (
    select
        *,
        {{ add_days('activity_date', '-active_day_number') }} as anchor_date
    from active_days
),

streaks as (
    select
        user_id,
        watermark_date,
        count(*) as active_day_count,
        min(activity_date) as started_date,
        max(activity_date) as ended_date
    from anchored
    group by user_id, watermark_date, anchor_date
),

final as (
    select
        -- keys
        user_id,

        -- attributes
        ended_date = watermark_date as is_open,

        -- measures
        cast(
            row_number() over (
                partition by user_id
                order by started_date asc nulls last
            ) as integer
        ) as streak_number,
        cast(active_day_count as integer) as active_day_count,

        -- times
        started_date,
        ended_date
    from streaks
)

select * from final
