{#- Grain: one row per variant of a declared experiment. -#}

with

source as (select * from {{ ref('experiments') }}),

renamed as (
    select
        -- keys
        cast(experiment_id as varchar) as experiment_id,

        -- attributes
        cast(experiment_name as varchar) as experiment_name,
        cast(variant as varchar) as variant,
        cast(is_control as boolean) as is_control,

        -- measures
        cast(expected_share as double) as expected_share,
        cast(planned_users as integer) as planned_users,
        cast(look_days as integer) as look_days
    from source
)

select * from renamed
