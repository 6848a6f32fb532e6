{#- Grain: one row per line of the segments file that could be read. -#}

with

source as (select * from {{ ref('user_segments') }}),

renamed as (
    select
        -- keys
        cast(user_id as varchar) as user_id,

        -- attributes
        lower(dimension) as dimension,
        cast(dimension_value as varchar) as dimension_value
    from source
)

select * from renamed
