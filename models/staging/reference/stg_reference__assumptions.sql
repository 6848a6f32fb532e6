{#- Grain: one row per assumed term of a version of a scenario. -#}

with

source as (select * from {{ ref('scenario_assumptions') }}),

renamed as (
    select
        -- attributes
        cast(scenario_name as {{ data_type('varchar') }}) as scenario_name,
        coalesce(cast(version as {{ data_type('varchar') }}), 'all') as version,
        cast(term as {{ data_type('varchar') }}) as term,
        cast(distribution as {{ data_type('varchar') }}) as distribution,
        cast(unit as {{ data_type('varchar') }}) as unit,
        cast(source as {{ data_type('varchar') }}) as source,
        cast(causal_grade as {{ data_type('varchar') }}) as causal_grade,
        cast(correlations as {{ data_type('varchar') }}) as correlations,

        -- measures
        cast(value as {{ data_type('double') }}) as value,
        cast(low as {{ data_type('double') }}) as low,
        cast(high as {{ data_type('double') }}) as high,

        -- times
        cast(dated_on as date) as stated_date
    from source
)

select * from renamed
