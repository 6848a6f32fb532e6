{#-
    Grain: one row per dimension, value and calendar day of the log.

    A user belongs to a trailing window from an active day until the window has
    passed it. Days in between change nothing, so a window's users are counted
    by their arrivals and departures alone: one of each per run of active days
    that lie close enough together. A window that reaches back beyond the first
    observed day has no count: a low number would look like a small service.
-#}

with

user_days as (select * from {{ ref('fct_user_days') }}),

dimensions as (select * from {{ ref('int_users_broken_down') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

dates as (select * from {{ ref('dim_dates') }}),

active_days as (
    select
        user_id,
        activity_date,
        {{ days_between(
            'lag(activity_date) over days_of_user', 'activity_date'
        ) }} as days_since_last,
        {{ days_between(
            'activity_date', 'lead(activity_date) over days_of_user'
        ) }} as days_until_next
    from user_days
    where is_active
    window
        days_of_user as (
            partition by user_id
            order by activity_date asc nulls last
        )
),

changes as (
    select
        user_id,
        activity_date as calendar_date,
        1 as day_change,
        -- A first active day has none before it and arrives as well.
        case when days_since_last < 7 then 0 else 1 end as week_change,
        case
            when days_since_last < {{ var('active_window_days') }} then 0
            else 1
        end as month_change
    from active_days
    union all
    select
        user_id,
        {{ add_days('activity_date', 7) }} as calendar_date,
        0 as day_change,
        -1 as week_change,
        0 as month_change
    from active_days
    where coalesce(days_until_next >= 7, true)
    union all
    select
        user_id,
        {{ add_days('activity_date', var('active_window_days')) }}
            as calendar_date,
        0 as day_change,
        0 as week_change,
        -1 as month_change
    from active_days
    where coalesce(days_until_next >= {{ var('active_window_days') }}, true)
),

daily_changes as (
    select
        dimensions.dimension,
        dimensions.dimension_value,
        changes.calendar_date,
        sum(changes.day_change) as day_change,
        sum(changes.week_change) as week_change,
        sum(changes.month_change) as month_change
    from changes
    inner join dimensions
        on changes.user_id = dimensions.user_id
    where dimensions.dimension_unit = 'user'
    group by
        dimensions.dimension,
        dimensions.dimension_value,
        changes.calendar_date
),

breakdowns as (
    select distinct
        dimension,
        dimension_value
    from dimensions
    where dimension_unit = 'user'
),

spined as (
    select
        breakdowns.dimension,
        breakdowns.dimension_value,
        dates.calendar_date,
        dates.is_complete,
        {{ days_between('bounds.observed_from_date', 'dates.calendar_date') }}
        + 1 as observed_days,
        coalesce(daily_changes.day_change, 0) as day_change,
        coalesce(daily_changes.week_change, 0) as week_change,
        coalesce(daily_changes.month_change, 0) as month_change
    from breakdowns
    cross join dates
    cross join bounds
    left join daily_changes
        on
            breakdowns.dimension = daily_changes.dimension
            and breakdowns.dimension_value = daily_changes.dimension_value
            and dates.calendar_date = daily_changes.calendar_date
),

counted as (
    select
        dimension,
        dimension_value,
        calendar_date,
        is_complete,
        day_change as daily_active_users,
        case
            when observed_days >= 7
                then sum(week_change) over so_far
        end as weekly_active_users,
        case
            when observed_days >= {{ var('active_window_days') }}
                then sum(month_change) over so_far
        end as monthly_active_users,
        case
            when observed_days >= {{ var('active_window_days') }}
                then sum(day_change) over trailing_window
        end as active_user_days
    from spined
    window
        so_far as (
            partition by dimension, dimension_value
            order by calendar_date asc nulls last
            rows between unbounded preceding and current row
        ),
        trailing_window as (
            partition by dimension, dimension_value
            order by calendar_date asc nulls last
            rows between
            {{ var('active_window_days') - 1 }} preceding and current row
        )
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,
        is_complete,

        -- measures
        cast(daily_active_users as integer) as daily_active_users,
        cast(weekly_active_users as integer) as weekly_active_users,
        cast(monthly_active_users as integer) as monthly_active_users,
        cast(active_user_days as {{ data_type('double') }})
        / {{ var('active_window_days') }}
            as mean_daily_active_users,
        {{ rate(
            'active_user_days',
            'monthly_active_users * ' ~ var('active_window_days')
        ) }} as stickiness_rate,

        -- times
        calendar_date
    from counted
)

select * from final
