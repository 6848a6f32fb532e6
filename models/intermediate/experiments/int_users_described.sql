{{ config(materialized='view') }}

{#-
    Grain: one row per user and dimension by which experiments are broken down.

    Only what was known of a user before any assignment: a state that the
    treatment may have changed is no segment. The log's own dimensions join the
    built-in ones; where a user has no value it is `unknown`.
-#}

with

users as (select * from {{ ref('int_users_classified') }}),

segments as (select * from {{ ref('int_segments_classified') }}),

known_users as (
    select
        user_id,
        platform,
        country_code,
        acquisition_channel
    from users
    where row_verdict = 'canonical'
),

own_dimensions as (
    select dimension
    from segments
    where row_verdict = 'canonical'
    group by dimension
),

final as (
    select
        user_id,
        'platform' as dimension,
        platform as dimension_value
    from known_users
    union all
    select
        user_id,
        'country' as dimension,
        country_code as dimension_value
    from known_users
    union all
    select
        user_id,
        'channel' as dimension,
        acquisition_channel as dimension_value
    from known_users
    union all
    select
        known_users.user_id,
        own_dimensions.dimension,
        coalesce(segments.dimension_value, 'unknown') as dimension_value
    from known_users
    cross join own_dimensions
    left join segments
        on
            known_users.user_id = segments.user_id
            and own_dimensions.dimension = segments.dimension
            and segments.row_verdict = 'canonical'
)

select * from final
