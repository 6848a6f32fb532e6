{#- Grain: one row per declared type of event. -#}

with

source as (select * from {{ ref('event_types') }}),

renamed as (
    select
        -- attributes
        lower(event_type) as event_type,
        cast(label as {{ data_type('varchar') }}) as label,
        lower(playback_effect) as playback_effect,
        is_active
    from source
)

select * from renamed
