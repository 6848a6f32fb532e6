{#- Grain: one row per outcome of a scenario. -#}

with

source as (select * from {{ ref('scenarios') }}),

renamed as (
    select
        -- attributes
        cast(scenario_name as {{ data_type('varchar') }}) as scenario_name,
        cast(outcome as {{ data_type('varchar') }}) as outcome,
        cast(unit as {{ data_type('varchar') }}) as unit,
        cast(effect_term as {{ data_type('varchar') }}) as effect_term,
        cast(formula as {{ data_type('varchar') }}) as formula,
        cast(base_formula as {{ data_type('varchar') }}) as base_formula,
        cast(
            base_description as {{ data_type('varchar') }}
        ) as base_description,

        -- measures
        cast(position as integer) as position,
        cast(threshold as {{ data_type('double') }}) as threshold
    from source
)

select * from renamed
