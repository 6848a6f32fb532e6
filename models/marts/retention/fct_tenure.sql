{#-
    Grain: one row per week and band of tenure, empty ones included.

    A new user's tenure in a week is the number of days from first activity to
    the week's last day, so that the first band holds exactly those who began
    in that very week. Established users began before the log, nobody knows
    when: they are a band of their own.
-#}

with

user_days as (select * from {{ ref('fct_user_days') }}),

users as (select * from {{ ref('int_users_started') }}),

dates as (select * from {{ ref('dim_dates') }}),

bounds as (select * from {{ ref('int_log_bounded') }}),

{%- set edges = [0] + var('tenure_band_days') %}

bands as (
    {% for edge in edges -%}
        select
            cast({{ loop.index }} as integer) as band_number,
            {% if loop.last -%}
                '{{ edge }}+ days' as tenure_band
            {%- else -%}
                '{{ edge }}-{{ edges[loop.index] - 1 }} days' as tenure_band
            {%- endif %}
        union all
    {% endfor -%}
    select
        cast({{ edges | length + 1 }} as integer) as band_number,
        'established' as tenure_band
),

weeks as (
    select
        dates.week_start_date,
        (
            dates.week_start_date >= bounds.observed_from_date
            and {{ add_days('dates.week_start_date', 6) }}
            <= bounds.watermark_date
        ) as is_complete
    from dates
    cross join bounds
    group by
        dates.week_start_date,
        bounds.observed_from_date,
        bounds.watermark_date
),

user_weeks as (
    select
        user_id,
        {{ period_start('activity_date', 'week') }} as week_start_date,
        sum(play_count) as play_count,
        sum(watched_seconds) as watched_seconds
    from user_days
    where is_active
    group by user_id, {{ period_start('activity_date', 'week') }}
),

aged as (
    select
        user_weeks.*,
        users.is_established,
        {{ days_between(
            'users.cohort_date', add_days('user_weeks.week_start_date', 6)
        ) }} as tenure_days
    from user_weeks
    inner join users
        on user_weeks.user_id = users.user_id
),

banded as (
    select
        week_start_date,
        case
            when is_established then {{ edges | length + 1 }}
            {%- for edge in edges[1:] %}
                when tenure_days < {{ edge }} then {{ loop.index }}
            {%- endfor %}
            else {{ edges | length }}
        end as band_number,
        play_count,
        watched_seconds
    from aged
),

counted as (
    select
        week_start_date,
        band_number,
        count(*) as active_users,
        sum(play_count) as play_count,
        sum(watched_seconds) as watched_seconds
    from banded
    group by week_start_date, band_number
),

final as (
    select
        -- attributes
        bands.tenure_band,
        weeks.is_complete,

        -- measures
        bands.band_number,
        cast(coalesce(counted.active_users, 0) as integer) as active_users,
        cast(coalesce(counted.play_count, 0) as bigint) as play_count,
        cast(coalesce(counted.watched_seconds, 0) as bigint)
            as watched_seconds,

        -- times
        weeks.week_start_date
    from weeks
    cross join bands
    left join counted
        on
            weeks.week_start_date = counted.week_start_date
            and bands.band_number = counted.band_number
)

select * from final
