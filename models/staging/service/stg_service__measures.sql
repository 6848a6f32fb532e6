{#- Grain: one row per line of the measures file that could be read. -#}

with

source as (select * from {{ ref('user_measures') }}),

renamed as (
    select
        -- keys
        cast(experiment_id as varchar) as experiment_id,
        cast(user_id as varchar) as user_id,

        -- attributes
        lower(measure) as measure,

        -- measures
        cast(value as double) as value,
        cast(value_before as double) as value_before
    from source
)

select * from renamed
