{#- Grain: one row per declared type of event. -#}

with

types as (select * from {{ ref('stg_reference__event_types') }}),

final as (
    select
        -- attributes
        event_type,
        label,
        playback_effect,
        is_active
    from types
)

select * from final
