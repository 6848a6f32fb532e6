{#- Grain: one row per outcome of a scenario. -#}

with

source as (select * from {{ ref('scenarios') }}),

renamed as (
    select
        -- attributes
        cast(scenario_name as varchar) as scenario_name,
        cast(outcome as varchar) as outcome,
        cast(unit as varchar) as unit,
        cast(effect_term as varchar) as effect_term,
        cast(formula as varchar) as formula,
        cast(base_formula as varchar) as base_formula,
        cast(base_description as varchar) as base_description,

        -- measures
        cast(threshold as double) as threshold
    from source
)

select * from renamed
