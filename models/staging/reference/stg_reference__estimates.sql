{#- Grain: one row per measured term of a version of a scenario. -#}

with

source as (select * from {{ ref('scenario_estimates') }}),

renamed as (
    select
        -- attributes
        cast(scenario_name as varchar) as scenario_name,
        coalesce(cast(version as varchar), 'all') as version,
        cast(term as varchar) as term,
        cast(unit as varchar) as unit,
        cast(source_table as varchar) as source_table,
        cast(row_keys as varchar) as row_keys,
        cast(value_column as varchar) as value_column,
        cast(error_column as varchar) as error_column,
        cast(control_of as varchar) as control_of,

        -- measures
        cast(prior_deviation as double) as prior_deviation
    from source
)

select * from renamed
