{#-
    Grain: one row per dimension, value and day, week or month of the log.

    Active now = active before + new + resurrected - churned, in every period,
    also in one that nobody was active in. New users have their first activity
    ever in the period; resurrected ones were not active in the period before
    but earlier, or signed up before the log began: what they did then is not
    known, only that they are not new. Churned users were active in the period
    before and not in this one, dormant ones earlier in the log and in neither.

    The first period has nothing before it, so only its active and new users
    are known.
-#}

with

user_days as (select * from {{ ref('fct_user_days') }}),

dimensions as (select * from {{ ref('int_users_broken_down') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

dates as (select * from {{ ref('dim_dates') }}),

grained_dates as (
    select
        'day' as period_grain,
        calendar_date,
        calendar_date as period_start_date,
        calendar_date as period_end_date
    from dates
    union all
    select
        'week' as period_grain,
        calendar_date,
        week_start_date as period_start_date,
        {{ add_days('week_start_date', 6) }} as period_end_date
    from dates
    union all
    select
        'month' as period_grain,
        calendar_date,
        month_start_date as period_start_date,
        -- No month is longer than the 31 days that lead into the next.
        {{ add_days(
            period_start(add_days('month_start_date', 31), 'month'), -1
        ) }} as period_end_date
    from dates
),

-- Every day of the log is here, so that consecutive numbers are consecutive
-- periods, with or without anybody in them.
numbered_dates as (
    select
        *,
        dense_rank() over (
            partition by period_grain
            order by period_start_date asc nulls last
        ) as period_number
    from grained_dates
),

periods as (
    select distinct
        period_grain,
        period_number,
        period_start_date,
        period_end_date
    from numbered_dates
),

user_periods as (
    select
        user_days.user_id,
        numbered_dates.period_grain,
        numbered_dates.period_number,
        max(case when user_days.is_new and user_days.day_number = 0 then 1 end)
        is not null as is_first_ever
    from user_days
    inner join numbered_dates
        on user_days.activity_date = numbered_dates.calendar_date
    where user_days.is_active
    group by
        user_days.user_id,
        numbered_dates.period_grain,
        numbered_dates.period_number
),

neighbouring_periods as (
    select
        *,
        lag(period_number) over periods_of_user as last_period_number,
        lead(period_number) over periods_of_user as next_period_number
    from user_periods
    window
        periods_of_user as (
            partition by user_id, period_grain
            order by period_number asc nulls last
        )
),

moves as (
    select
        user_id,
        period_grain,
        period_number,
        case
            when is_first_ever then 'new'
            when last_period_number = period_number - 1 then 'retained'
            when last_period_number is not null then 'awoken'
            else 'appeared'
        end as move_name
    from neighbouring_periods
    union all
    select
        user_id,
        period_grain,
        period_number + 1 as period_number,
        'churned' as move_name
    from neighbouring_periods
    where coalesce(next_period_number > period_number + 1, true)
),

counted_moves as (
    select
        dimensions.dimension,
        dimensions.dimension_value,
        moves.period_grain,
        moves.period_number,
        count(*) filter (where moves.move_name <> 'churned') as active_users,
        count(*) filter (where moves.move_name = 'new') as new_users,
        count(*) filter (where moves.move_name = 'awoken') as awoken_users,
        count(*) filter (where moves.move_name = 'appeared') as appeared_users,
        count(*) filter (where moves.move_name = 'churned') as churned_users
    from moves
    inner join dimensions
        on moves.user_id = dimensions.user_id
    where dimensions.dimension_unit = 'user'
    group by
        dimensions.dimension,
        dimensions.dimension_value,
        moves.period_grain,
        moves.period_number
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
        periods.period_grain,
        periods.period_number,
        periods.period_start_date,
        periods.period_end_date,
        periods.period_start_date >= bounds.observed_from_date
        and periods.period_end_date <= bounds.watermark_date as is_complete,
        coalesce(counted_moves.active_users, 0) as active_users,
        coalesce(counted_moves.new_users, 0) as new_users,
        coalesce(counted_moves.awoken_users, 0) as awoken_users,
        coalesce(counted_moves.appeared_users, 0) as appeared_users,
        coalesce(counted_moves.churned_users, 0) as churned_users
    from breakdowns
    cross join periods
    cross join bounds
    left join counted_moves
        on
            breakdowns.dimension = counted_moves.dimension
            and breakdowns.dimension_value = counted_moves.dimension_value
            and periods.period_grain = counted_moves.period_grain
            and periods.period_number = counted_moves.period_number
),

remembered as (
    select
        *,
        lag(active_users) over in_order as previous_active_users,
        -- Who churned now is not dormant yet, but churned.
        (sum(churned_users - awoken_users) over so_far)
        - churned_users as dormant_users
    from spined
    window
        in_order as (
            partition by dimension, dimension_value, period_grain
            order by period_number asc nulls last
        ),
        so_far as (
            partition by dimension, dimension_value, period_grain
            order by period_number asc nulls last
            rows between unbounded preceding and current row
        )
),

accounted as (
    select
        dimension,
        dimension_value,
        period_grain,
        period_start_date,
        period_end_date,
        is_complete,
        active_users,
        previous_active_users,
        new_users,
        period_number = 1 as is_first_period,
        case when period_number > 1 then awoken_users + appeared_users end
            as resurrected_users,
        case when period_number > 1 then churned_users end as churned_users,
        case when period_number > 1 then dormant_users end as dormant_users
    from remembered
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,
        period_grain,
        is_complete,
        is_first_period,

        -- measures
        cast(active_users as integer) as active_users,
        cast(previous_active_users as integer) as previous_active_users,
        cast(new_users as integer) as new_users,
        cast(active_users - new_users - resurrected_users as integer)
            as retained_users,
        cast(resurrected_users as integer) as resurrected_users,
        cast(churned_users as integer) as churned_users,
        cast(dormant_users as integer) as dormant_users,
        {{ rate('new_users + resurrected_users', 'churned_users') }}
            as quick_ratio,

        -- times
        period_start_date,
        period_end_date
    from accounted
)

select * from final
