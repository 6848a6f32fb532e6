{{ config(
    severity='error' if var('volume_check') == 'error' else 'warn',
    enabled=var('volume_check') != 'ignore'
) }}

{#-
    The last complete day has about as many events as its weekday had in the
    four weeks before: half of them missing is an export that broke off, not a
    quiet day. Said only where those four days were observed and their median
    has at least `volume_least_events`.
-#}

with

dates as (select * from {{ ref('dim_dates') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

daily as (
    select
        dates.calendar_date,
        coalesce(sum(user_days.event_count), 0) as event_count
    from dates
    left join user_days
        on dates.calendar_date = user_days.activity_date
    where dates.is_complete
    group by dates.calendar_date
),

last_day as (
    select max(calendar_date) as last_date
    from daily
),

dated as (
    select
        last_day.last_date,
        daily.event_count,
        {{ days_between('daily.calendar_date', 'last_day.last_date') }}
            as days_before
    from daily
    cross join last_day
),

usual as (
    select
        count(*) as day_count,
        percentile_cont(0.5) within group (
            order by event_count asc nulls last
        ) as usual_count
    from dated
    where days_before in (7, 14, 21, 28)
),

final as (
    select
        cast(dated.last_date as {{ data_type('varchar') }}) || ' has '
        || cast(dated.event_count as {{ data_type('varchar') }})
        || ' events, and its weekday had '
        || cast(
            cast(floor(usual.usual_count) as bigint)
            as {{ data_type('varchar') }}
        )
        || ' in the median of four weeks' as problem,
        'see whether the export is complete, or raise volume_fall_limit'
            as remedy
    from dated
    cross join usual
    where
        dated.days_before = 0
        and usual.day_count = 4
        and usual.usual_count >= {{ var('volume_least_events') }}
        and {{ rate('dated.event_count', 'usual.usual_count') }}
        < {{ 1 - var('volume_fall_limit') }}
)

select * from final
