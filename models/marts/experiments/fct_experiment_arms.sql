{#-
    Grain: one row per declared variant, with its users.

    The sample-ratio check compares these counts with the shares that the
    experiment declares; a variant that nobody got has a row with 0.
-#}

with

exposures as (select * from {{ ref('fct_experiment_exposures') }}),

variants as (select * from {{ ref('stg_reference__variants') }}),

final as (
    select
        -- keys
        variants.experiment_id,

        -- attributes
        variants.experiment_name,
        variants.variant,
        variants.is_control,

        -- measures
        variants.expected_share,
        cast(count(exposures.user_id) as integer) as assigned_users,
        cast(count(*) filter (where exposures.is_mixed) as integer)
            as mixed_users,
        cast(count(*) filter (where exposures.is_reached) as integer)
            as reached_users
    from variants
    left join exposures
        on
            variants.experiment_id = exposures.experiment_id
            and variants.variant = exposures.variant
    group by
        variants.experiment_id,
        variants.experiment_name,
        variants.variant,
        variants.is_control,
        variants.expected_share
)

select * from final
