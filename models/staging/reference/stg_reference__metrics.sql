{#- Grain: one row per metric of a declared experiment. -#}

with

source as (select * from {{ ref('experiment_metrics') }}),

renamed as (
    select
        -- keys
        cast(experiment_id as {{ data_type('varchar') }}) as experiment_id,

        -- attributes
        cast(metric_name as {{ data_type('varchar') }}) as metric_name,
        lower(kind) as kind,
        lower(measure) as measure,
        lower(denominator_measure) as denominator_measure,
        lower(day_mode) as day_mode,
        lower(direction) as direction,
        lower(role) as role,

        -- measures
        cast(quantile as {{ data_type('double') }}) as quantile,
        cast(window_start_day as integer) as window_start_day,
        cast(window_end_day as integer) as window_end_day,
        cast(margin as {{ data_type('double') }}) as margin,
        cast(cap as {{ data_type('double') }}) as cap
    from source
)

select * from renamed
