{#- Grain: one row per term of a scenario that no data can supply. -#}

with

source as (select * from {{ ref('scenario_assumptions') }}),

renamed as (
    select
        -- attributes
        cast(scenario_name as varchar) as scenario_name,
        cast(term as varchar) as term,
        cast(distribution as varchar) as distribution,
        cast(unit as varchar) as unit,
        cast(source as varchar) as source,
        cast(causal_grade as varchar) as causal_grade,

        -- measures
        cast(value as double) as value,
        cast(low as double) as low,
        cast(high as double) as high
    from source
)

select * from renamed
