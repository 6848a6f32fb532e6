{#-
    Grain: one row per log: the days it covers.

    The watermark is the last day that is loaded whole: the day before the last
    event's, less `late_allowance_days`. It comes from the log, never from the
    clock on the wall.
-#}

with

events as (select * from {{ ref('int_events_bounded') }}),

bounds as (
    select
        min(event_date) as observed_from_date,
        max(event_date) as last_event_date,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at
    from events
),

final as (
    select
        -- times
        observed_from_date,
        {{ add_days(
            'last_event_date', -1 - var('late_allowance_days')
        ) }} as watermark_date,
        first_event_at,
        last_event_at
    from bounds
)

select * from final
