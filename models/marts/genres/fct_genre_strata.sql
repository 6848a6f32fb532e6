{#-
    Grain: one row per stratum of early activity and platform, and side of it
    (explorers or not).

    Users in a stratum played equally much on the same platform, so comparing
    its two sides takes most of the activity out of the comparison. Only users
    whose outcome day is loaded whole are counted.
-#}

with

diversity as (select * from {{ ref('fct_user_genres') }}),

banded as (
    select
        platform,
        is_explorer,
        is_retained,
        least(valid_play_count, {{ var('stratum_play_limit') }})
            as valid_play_band
    from diversity
    where is_eligible
),

final as (
    select
        -- keys
        platform || ':' || cast(valid_play_band as {{ data_type('varchar') }})
            as stratum_id,

        -- attributes
        platform,
        is_explorer,

        -- measures
        {{ var('genre_outcome_day') }} as day_number,
        valid_play_band,
        cast(count(*) as integer) as eligible_users,
        cast(count(*) filter (where is_retained) as integer) as retained_users
    from banded
    group by platform, is_explorer, valid_play_band
)

select * from final
