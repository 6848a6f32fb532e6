{#- Grain: one row per headline that somebody expects of this log. -#}

with

claims as (select * from {{ ref('stg_reference__claims') }}),

final as (
    select
        -- attributes
        headline_name,
        statement,
        unit,

        -- measures
        position,
        expected
    from claims
)

select * from final
