{#-
    Along the fixed curve nobody enters or leaves, so what they have played and
    watched so far can only grow.
-#}

with

curve as (select * from {{ ref('fct_retention_curve') }}),

stepped as (
    select
        dimension,
        dimension_value,
        day_number,
        eligible_users,
        cumulative_plays_mean,
        cumulative_watched_seconds_mean,
        lag(eligible_users) over steps as earlier_eligible_users,
        lag(cumulative_plays_mean) over steps as earlier_plays_mean,
        lag(cumulative_watched_seconds_mean) over steps as earlier_seconds_mean
    from curve
    where cohort_set = 'fixed'
    window
        steps as (
            partition by dimension, dimension_value
            order by day_number asc nulls last
        )
),

final as (
    select *
    from stepped
    where
        eligible_users <> earlier_eligible_users
        or cumulative_plays_mean < earlier_plays_mean
        or cumulative_watched_seconds_mean < earlier_seconds_mean
)

select * from final
