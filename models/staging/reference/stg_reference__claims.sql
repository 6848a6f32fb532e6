{#- Grain: one row per headline that somebody expects of this log. -#}

with

source as (select * from {{ ref('headline_claims') }}),

renamed as (
    select
        -- attributes
        cast(headline_name as {{ data_type('varchar') }}) as headline_name,
        cast(statement as {{ data_type('varchar') }}) as statement,
        cast(unit as {{ data_type('varchar') }}) as unit,

        -- measures
        cast(position as integer) as position,
        cast(expected as {{ data_type('double') }}) as expected
    from source
)

select * from renamed
