{#-
    Grain: one row per cohort and day number.

    A cell is mature once its day is loaded whole. An immature cell has nobody
    eligible and no rate: nothing is known, which is not 0 %.
-#}

with

user_days as (select * from {{ ref('fct_user_days') }}),

users as (select * from {{ ref('int_users_started') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

day_numbers as (
    {{ integers('day_number', var('retention_horizon_days')) }}
),

cohorts as (
    select
        cohort_date,
        count(*) as cohort_size
    from users
    where is_new
    group by cohort_date
),

returns as (
    select
        users.cohort_date,
        user_days.day_number,
        count(*) as retained_users
    from user_days
    inner join users
        on user_days.user_id = users.user_id
    where
        users.is_new
        and user_days.is_active
    group by users.cohort_date, user_days.day_number
),

cells as (
    select
        cohorts.cohort_date,
        day_numbers.day_number,
        cohorts.cohort_size,
        {{ add_days('cohorts.cohort_date', 'day_numbers.day_number') }}
        <= bounds.watermark_date as is_mature
    from cohorts
    cross join day_numbers
    cross join bounds
),

counted as (
    select
        cells.cohort_date,
        cells.day_number,
        cells.is_mature,
        cast(cells.cohort_size as integer) as cohort_size,
        cast(
            case when cells.is_mature then cells.cohort_size else 0 end
            as integer
        ) as eligible_users,
        cast(
            case
                when cells.is_mature then coalesce(returns.retained_users, 0)
                else 0
            end
            as integer
        ) as retained_users
    from cells
    left join returns
        on
            cells.cohort_date = returns.cohort_date
            and cells.day_number = returns.day_number
),

final as (
    select
        -- attributes
        is_mature,

        -- measures
        day_number,
        cohort_size,
        eligible_users,
        retained_users,
        {{ rate('retained_users', 'eligible_users') }} as rate,
        {{ wilson_bound('retained_users', 'eligible_users', 'low') }} as ci_low,
        {{ wilson_bound('retained_users', 'eligible_users', 'high') }}
            as ci_high,

        -- times
        cohort_date
    from counted
)

select * from final
