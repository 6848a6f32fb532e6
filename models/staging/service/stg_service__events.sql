{#- Grain: one row per line of the events file that could be read. -#}

with

source as (select * from {{ ref('events') }}),

renamed as (
    select
        -- keys
        cast(event_id as varchar) as event_id,
        cast(user_id as varchar) as user_id,
        cast(content_id as varchar) as content_id,

        -- attributes
        lower(event_type) as event_type,
        lower(device_type) as device_type,

        -- times
        cast(event_at as timestamp) as event_at
    from source
)

select * from renamed
