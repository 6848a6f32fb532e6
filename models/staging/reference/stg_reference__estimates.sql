{#- Grain: one row per measured term of a version of a scenario. -#}

with

source as (select * from {{ ref('scenario_estimates') }}),

renamed as (
    select
        -- attributes
        cast(scenario_name as {{ data_type('varchar') }}) as scenario_name,
        coalesce(cast(version as {{ data_type('varchar') }}), 'all') as version,
        cast(term as {{ data_type('varchar') }}) as term,
        cast(unit as {{ data_type('varchar') }}) as unit,
        cast(estimate as {{ data_type('varchar') }}) as estimate,
        cast(control_of as {{ data_type('varchar') }}) as control_of,

        -- measures
        cast(prior_deviation as {{ data_type('double') }}) as prior_deviation
    from source
)

select * from renamed
