{#- Grain: one row per declared lifetime. -#}

with

source as (select * from {{ ref('lifetimes') }}),

renamed as (
    select
        -- attributes
        cast(lifetime_name as {{ data_type('varchar') }}) as lifetime_name,
        coalesce(cast(dimension as {{ data_type('varchar') }}), 'all')
            as dimension,
        coalesce(cast(dimension_value as {{ data_type('varchar') }}), 'all')
            as dimension_value,

        -- measures
        coalesce(cast(from_day as integer), 0) as from_day,
        cast(horizon_days as integer) as horizon_days,
        cast(tail_days as integer) as tail_days,
        coalesce(cast(yearly_discount as {{ data_type('double') }}), 0)
            as yearly_discount
    from source
)

select * from renamed
