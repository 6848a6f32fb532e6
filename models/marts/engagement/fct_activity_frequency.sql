{#-
    Grain: one row per window and number of active days, from 1 to all of them.

    The power-user curve. Windows of a week and of a trailing month end on the
    watermark and, one after the other, on the days on which the next would
    begin; none overlaps another. A window that is not observed whole is left
    out. Rates are of users active at least once in the window.
-#}

with

user_days as (select * from {{ ref('fct_user_days') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

dates as (select * from {{ ref('dim_dates') }}),

lengths as (
    {% for window_days in [7, var('active_window_days')] | unique -%}
        select {{ window_days }} as window_days
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

aged_dates as (
    select
        lengths.window_days,
        dates.calendar_date,
        {{ days_between('dates.calendar_date', 'bounds.watermark_date') }}
        % nullif(lengths.window_days, 0) as days_to_window_end
    from dates
    cross join lengths
    cross join bounds
    where dates.is_complete
),

placed_dates as (
    select
        window_days,
        calendar_date,
        {{ add_days('calendar_date', 'days_to_window_end') }}
            as window_end_date
    from aged_dates
),

windows as (
    select
        window_days,
        window_end_date
    from placed_dates
    group by window_days, window_end_date
    having count(*) = window_days
),

user_windows as (
    select
        placed_dates.window_days,
        placed_dates.window_end_date,
        user_days.user_id,
        count(*) as active_day_count
    from user_days
    inner join placed_dates
        on user_days.activity_date = placed_dates.calendar_date
    where user_days.is_active
    group by
        placed_dates.window_days,
        placed_dates.window_end_date,
        user_days.user_id
),

frequencies as (
    select
        window_days,
        window_end_date,
        active_day_count,
        count(*) as user_count
    from user_windows
    group by window_days, window_end_date, active_day_count
),

day_counts as (
    {{ integers('active_day_count', [7, var('active_window_days')] | max) }}
),

cells as (
    select
        windows.window_days,
        windows.window_end_date,
        day_counts.active_day_count,
        coalesce(frequencies.user_count, 0) as user_count
    from windows
    inner join day_counts
        on day_counts.active_day_count between 1 and windows.window_days
    left join frequencies
        on
            windows.window_days = frequencies.window_days
            and windows.window_end_date = frequencies.window_end_date
            and day_counts.active_day_count = frequencies.active_day_count
),

cumulated as (
    select
        *,
        sum(user_count) over (
            partition by window_days, window_end_date
            order by active_day_count desc nulls last
            rows between unbounded preceding and current row
        ) as user_count_at_least,
        sum(user_count) over (
            partition by window_days, window_end_date
        ) as window_user_count
    from cells
),

final as (
    select
        -- measures
        window_days,
        active_day_count,
        cast(user_count as integer) as user_count,
        cast(user_count_at_least as integer) as user_count_at_least,
        cast(window_user_count as integer) as window_user_count,
        {{ rate('user_count', 'window_user_count') }} as exact_rate,
        {{ rate('user_count_at_least', 'window_user_count') }} as at_least_rate,

        -- times
        window_end_date
    from cumulated
)

select * from final
