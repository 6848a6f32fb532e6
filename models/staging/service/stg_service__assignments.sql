{#- Grain: one row per line of the assignments file that could be read. -#}

with

source as (select * from {{ ref('experiment_assignments') }}),

renamed as (
    select
        -- keys
        cast(experiment_id as varchar) as experiment_id,
        cast(user_id as varchar) as user_id,

        -- attributes
        cast(variant as varchar) as variant,

        -- times
        cast(assigned_at as timestamp) as assigned_at,
        cast(reached_at as timestamp) as reached_at
    from source
)

select * from renamed
