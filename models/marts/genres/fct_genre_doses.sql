{#-
    Grain: one row per band of valid plays, active days, and effective number of
    genres in tenths.

    Users with the same plays on the same number of days, by how diverse these
    plays were: from it the slope of retention over one more effective genre.
-#}

with

diversity as (select * from {{ ref('fct_user_genres') }}),

banded as (
    select
        active_day_count,
        is_retained,
        {{ lower_edge('valid_play_count', var('alike_play_counts')) }}
            as valid_play_band,
        cast(round(10 * effective_genres) as integer) as effective_tenths
    from diversity
    where landmark_status = 'compared'
),

final as (
    select
        -- measures
        {{ var('genre_outcome_day') }} as day_number,
        cast(valid_play_band as integer) as valid_play_band,
        active_day_count,
        effective_tenths,
        cast(count(*) as integer) as eligible_users,
        cast(count(*) filter (where is_retained) as integer) as retained_users
    from banded
    group by
        valid_play_band,
        active_day_count,
        effective_tenths
)

select * from final
