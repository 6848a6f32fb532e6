{#- Grain: one row per line of the measures file that could be read. -#}

with

source as (select * from {{ ref('user_measures') }}),

renamed as (
    select
        -- keys
        cast(experiment_id as {{ data_type('varchar') }}) as experiment_id,
        cast(user_id as {{ data_type('varchar') }}) as user_id,

        -- attributes
        lower(measure) as measure,

        -- measures
        cast(value as {{ data_type('double') }}) as value,
        cast(value_before as {{ data_type('double') }}) as value_before
    from source
)

select * from renamed
