{#- Grain: one row per term of a scenario that no data can supply. -#}

with

assumptions as (select * from {{ ref('stg_reference__assumptions') }}),

final as (
    select
        -- attributes
        scenario_name,
        version,
        term,
        distribution,
        unit,
        source,
        causal_grade,
        correlations,

        -- measures
        value,
        low,
        high,

        -- times
        stated_date
    from assumptions
)

select * from final
