{#- Grain: one row per term of a scenario that no data can supply. -#}

with

assumptions as (select * from {{ ref('stg_reference__assumptions') }}),

final as (
    select
        -- attributes
        scenario_name,
        term,
        distribution,
        unit,
        source,
        causal_grade,

        -- measures
        value,
        low,
        high
    from assumptions
)

select * from final
