{#- Grain: one row per variant of a declared experiment. -#}

with

source as (select * from {{ ref('experiments') }}),

renamed as (
    select
        -- keys
        cast(experiment_id as {{ data_type('varchar') }}) as experiment_id,

        -- attributes
        cast(experiment_name as {{ data_type('varchar') }}) as experiment_name,
        cast(variant as {{ data_type('varchar') }}) as variant,
        cast(is_control as boolean) as is_control,

        -- measures
        cast(expected_share as {{ data_type('double') }}) as expected_share,
        cast(planned_users as integer) as planned_users,
        cast(look_days as integer) as look_days
    from source
)

select * from renamed
