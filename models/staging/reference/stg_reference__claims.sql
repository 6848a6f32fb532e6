{#- Grain: one row per headline that somebody expects of this log. -#}

with

source as (select * from {{ ref('headline_claims') }}),

renamed as (
    select
        -- attributes
        cast(headline_name as varchar) as headline_name,
        cast(statement as varchar) as statement,
        cast(unit as varchar) as unit,

        -- measures
        cast(expected as double) as expected
    from source
)

select * from renamed
