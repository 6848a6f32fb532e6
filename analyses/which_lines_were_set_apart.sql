{#-
    Grain: one row per event line that was rejected or is a copy, with the
    reason: the evidence behind `fct_rejected_rows`.

    Compiled by `dbt compile`; paste it into any SQL client.
-#}

with

events as (select * from {{ ref('int_events_classified') }}),

final as (
    select
        -- keys
        event_id,
        user_id,
        content_id,

        -- attributes
        event_type,
        row_verdict,
        reject_reason,

        -- times
        event_at
    from events
    where row_verdict <> 'canonical'
)

select * from final
