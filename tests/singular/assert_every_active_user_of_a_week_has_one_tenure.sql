{#- The bands of a week share its active users, plays and time out. -#}

with

tenure as (select * from {{ ref('fct_tenure') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

bands as (
    select
        week_start_date,
        sum(active_users) as active_users,
        sum(play_count) as play_count,
        sum(watched_seconds) as watched_seconds
    from tenure
    group by week_start_date
),

weeks as (
    select
        {{ period_start('activity_date', 'week') }} as week_start_date,
        count(distinct user_id) as active_users,
        sum(play_count) as play_count,
        sum(watched_seconds) as watched_seconds
    from user_days
    where is_active
    group by {{ period_start('activity_date', 'week') }}
),

final as (
    select
        bands.week_start_date,
        bands.active_users,
        weeks.active_users as active_users_of_the_week,
        bands.play_count,
        weeks.play_count as play_count_of_the_week
    from bands
    full join weeks
        on bands.week_start_date = weeks.week_start_date
    where
        bands.active_users is distinct from coalesce(weeks.active_users, 0)
        or bands.play_count is distinct from coalesce(weeks.play_count, 0)
        or bands.watched_seconds
        is distinct from coalesce(weeks.watched_seconds, 0)
)

select * from final
