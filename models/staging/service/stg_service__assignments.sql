{#- Grain: one row per line of the assignments file that could be read. -#}

with

source as (select * from {{ ref('experiment_assignments') }}),

renamed as (
    select
        -- keys
        cast(experiment_id as {{ data_type('varchar') }}) as experiment_id,
        cast(user_id as {{ data_type('varchar') }}) as user_id,

        -- attributes
        cast(variant as {{ data_type('varchar') }}) as variant,

        -- times
        cast(assigned_at as {{ data_type('timestamp') }}) as assigned_at,
        cast(reached_at as {{ data_type('timestamp') }}) as reached_at
    from source
)

select * from renamed
