{{ config(materialized='view') }}

{#-
    Grain: one row per user and dimension, so that one query serves every
    breakdown. Only new users have a cohort.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

final as (
    select
        user_id,
        is_new,
        'all' as dimension,
        'all' as dimension_value
    from users
    union all
    select
        user_id,
        is_new,
        'cohort' as dimension,
        cast(cohort_date as {{ data_type('varchar') }}) as dimension_value
    from users
    where is_new
    union all
    select
        user_id,
        is_new,
        'platform' as dimension,
        platform as dimension_value
    from users
    union all
    select
        user_id,
        is_new,
        'country' as dimension,
        country_code as dimension_value
    from users
    union all
    select
        user_id,
        is_new,
        'channel' as dimension,
        acquisition_channel as dimension_value
    from users
)

select * from final
