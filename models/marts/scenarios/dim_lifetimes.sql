{#- Grain: one row per declared lifetime. -#}

with

lifetimes as (select * from {{ ref('stg_reference__lifetimes') }}),

final as (
    select
        -- attributes
        lifetime_name,
        dimension,
        dimension_value,

        -- measures
        from_day,
        horizon_days,
        tail_days,
        yearly_discount
    from lifetimes
)

select * from final
