{#- Grain: one row per outcome of a scenario. -#}

with

scenarios as (select * from {{ ref('stg_reference__scenarios') }}),

final as (
    select
        -- attributes
        scenario_name,
        outcome,
        unit,
        effect_term,
        formula,
        base_formula,
        base_description,

        -- measures
        position,
        threshold
    from scenarios
)

select * from final
