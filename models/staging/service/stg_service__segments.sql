{#- Grain: one row per line of the segments file that could be read. -#}

with

source as (select * from {{ ref('user_segments') }}),

renamed as (
    select
        -- keys
        cast(user_id as {{ data_type('varchar') }}) as user_id,

        -- attributes
        lower(dimension) as dimension,
        cast(dimension_value as {{ data_type('varchar') }}) as dimension_value
    from source
)

select * from renamed
