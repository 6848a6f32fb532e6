{#- Grain: one row per line of the events file that could be read. -#}

with

source as (select * from {{ ref('events') }}),

renamed as (
    select
        -- keys
        cast(event_id as varchar) as event_id,
        cast(user_id as varchar) as user_id,
        cast(content_id as varchar) as content_id,
        cast(player_id as varchar) as player_id,

        -- attributes
        lower(event_type) as event_type,
        lower(device_type) as device_type,

        -- measures
        cast(position_seconds as double) as position_seconds,
        cast(playback_rate as double) as playback_speed,
        cast(sequence_number as bigint) as sequence_number,

        -- times
        cast(event_at as timestamp) as event_at,
        cast(ended_at as timestamp) as ended_at,
        cast(received_at as timestamp) as received_at
    from source
)

select * from renamed
