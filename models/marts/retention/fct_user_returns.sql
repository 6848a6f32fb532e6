{#-
    Grain: one row per new user and reported day number.

    A user is eligible for day N once that day is loaded whole, and retained
    when active on exactly that day.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

day_numbers as (
    {% for day_number in (
        var('retention_days') + [var('genre_outcome_day')]
    ) | unique -%}
        select {{ day_number }} as day_number
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

due as (
    select
        users.user_id,
        users.cohort_date,
        day_numbers.day_number,
        {{ add_days('users.cohort_date', 'day_numbers.day_number') }}
            as due_date
    from users
    cross join day_numbers
    where users.is_new
),

active_days as (
    select
        user_id,
        activity_date
    from user_days
    where is_active
),

final as (
    select
        -- keys
        due.user_id,

        -- attributes
        due.due_date <= bounds.watermark_date as is_eligible,
        (
            due.due_date <= bounds.watermark_date
            and active_days.user_id is not null
        ) as is_retained,

        -- measures
        due.day_number,

        -- times
        due.cohort_date,
        due.due_date
    from due
    cross join bounds
    left join active_days
        on
            due.user_id = active_days.user_id
            and due.due_date = active_days.activity_date
)

select * from final
