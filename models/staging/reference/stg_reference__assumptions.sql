{#- Grain: one row per assumed term of a version of a scenario. -#}

with

source as (select * from {{ ref('scenario_assumptions') }}),

renamed as (
    select
        -- attributes
        cast(scenario_name as varchar) as scenario_name,
        coalesce(cast(version as varchar), 'all') as version,
        cast(term as varchar) as term,
        cast(distribution as varchar) as distribution,
        cast(unit as varchar) as unit,
        cast(source as varchar) as source,
        cast(causal_grade as varchar) as causal_grade,
        cast(correlations as varchar) as correlations,

        -- measures
        cast(value as double) as value,
        cast(low as double) as low,
        cast(high as double) as high,

        -- times
        cast(dated_on as date) as stated_date
    from source
)

select * from renamed
