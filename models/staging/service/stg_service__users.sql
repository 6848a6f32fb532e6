{#- Grain: one row per line of the users file that could be read. -#}

with

source as (select * from {{ ref('users') }}),

renamed as (
    select
        -- keys
        cast(user_id as {{ data_type('varchar') }}) as user_id,

        -- attributes
        lower(platform) as platform,
        upper(country_code) as country_code,
        lower(subscription_status) as subscription_status,
        lower(acquisition_channel) as acquisition_channel,

        -- times
        cast(signed_up_at as {{ data_type('timestamp') }}) as signed_up_at
    from source
)

select * from renamed
