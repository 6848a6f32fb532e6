{{ config(materialized='view') }}

{#-
    Grain: one row per new user and dimension, so that one query serves every
    breakdown.
-#}

with

users as (select * from {{ ref('int_users_started') }}),

new_users as (
    select *
    from users
    where is_new
),

final as (
    select
        user_id,
        'all' as dimension,
        'all' as dimension_value
    from new_users
    union all
    select
        user_id,
        'cohort' as dimension,
        cast(cohort_date as varchar) as dimension_value
    from new_users
    union all
    select
        user_id,
        'platform' as dimension,
        platform as dimension_value
    from new_users
    union all
    select
        user_id,
        'country' as dimension,
        country_code as dimension_value
    from new_users
    union all
    select
        user_id,
        'channel' as dimension,
        acquisition_channel as dimension_value
    from new_users
)

select * from final
