{#- Grain: one row per line of the events file that could be read. -#}

with

source as (select * from {{ ref('events') }}),

renamed as (
    select
        -- keys
        cast(event_id as {{ data_type('varchar') }}) as event_id,
        cast(user_id as {{ data_type('varchar') }}) as user_id,
        cast(content_id as {{ data_type('varchar') }}) as content_id,
        cast(player_id as {{ data_type('varchar') }}) as player_id,

        -- attributes
        lower(event_type) as event_type,
        lower(device_type) as device_type,

        -- measures
        cast(position_seconds as {{ data_type('double') }}) as position_seconds,
        cast(playback_rate as {{ data_type('double') }}) as playback_speed,
        cast(sequence_number as bigint) as sequence_number,

        -- times
        cast(event_at as {{ data_type('timestamp') }}) as event_at,
        cast(ended_at as {{ data_type('timestamp') }}) as ended_at,
        cast(received_at as {{ data_type('timestamp') }}) as received_at
    from source
)

select * from renamed
