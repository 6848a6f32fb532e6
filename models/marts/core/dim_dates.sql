{#-
    Grain: one row per calendar day from the first to the last observed one.

    Weeks begin on `week_start_day`.
-#}

with

bounds as (select * from {{ ref('int_log_bounded') }}),

days as (
    -- A hundred years, more than lie between the instants that are possible.
    {{ integers('day_offset', 36525) }}
),

dated as (
    select
        {{ add_days('bounds.observed_from_date', 'days.day_offset') }}
            as calendar_date,
        {{ local_date('bounds.last_event_at') }} as last_event_date,
        bounds.watermark_date
    from bounds
    cross join days
),

final as (
    select
        -- attributes
        calendar_date <= watermark_date as is_complete,

        -- times
        cast(calendar_date as date) as calendar_date,
        {{ period_start('calendar_date', 'week') }} as week_start_date,
        {{ period_start('calendar_date', 'month') }} as month_start_date
    from dated
    where calendar_date <= last_event_date
)

select * from final
