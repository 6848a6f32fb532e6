{#- Grain: one row per term of a scenario that the log supplies. -#}

with

estimates as (select * from {{ ref('stg_reference__estimates') }}),

final as (
    select
        -- attributes
        scenario_name,
        version,
        term,
        unit,
        estimate,
        control_of,

        -- measures
        prior_deviation
    from estimates
)

select * from final
