{#-
    Grain: one row per exploration, fold, cell of users who are alike at the end of
    the window, and level of the exploration.

    All that the adjusted estimates need, in counts: cells are made of bands, so
    their number stays bounded however many users there are. See
    docs/decisions/0009-genres-and-retention.md for what makes users alike, and
    what must not.

    The exploration `genres` is the question. `shuffled_genres` is a negative
    control that can have no effect, `overlapping_genres` the mistake of letting
    the window reach into the outcome.
-#}

with

diversity as (select * from {{ ref('fct_user_genres') }}),

compared as (
    select *
    from diversity
    where landmark_status = 'compared'
),

segments as (
    select
        'platform' as dimension,
        platform as dimension_value,
        count(*) as user_count
    from compared
    group by platform
    union all
    select
        'country' as dimension,
        country_code as dimension_value,
        count(*) as user_count
    from compared
    group by country_code
    union all
    select
        'channel' as dimension,
        acquisition_channel as dimension_value,
        count(*) as user_count
    from compared
    group by acquisition_channel
),

ranked as (
    select
        dimension,
        dimension_value,
        row_number() over (
            partition by dimension
            order by user_count desc nulls last, dimension_value asc nulls last
        ) as place
    from segments
),

frequent as (
    select
        dimension,
        dimension_value
    from ranked
    where place <= {{ var('alike_segment_count') }}
),

bounds as (
    select
        min(cohort_date) as first_date,
        max(cohort_date) as last_date
    from compared
),

alike as (
    select
        compared.user_id,
        compared.is_retained,
        compared.active_day_count,
        coalesce(platforms.dimension_value, 'other') as platform_group,
        coalesce(countries.dimension_value, 'other') as country_group,
        coalesce(channels.dimension_value, 'other') as channel_group,
        -- The first of January 1900 was a Monday.
        {{ days_between("cast('1900-01-01' as date)", 'compared.cohort_date') }}
        % 7 >= 5 as is_weekend_start,
        {{ fold_number('compared.user_id', var('fold_count')) }} as fold_number,
        {{ lower_edge('compared.valid_play_count', var('alike_play_counts')) }}
            as valid_play_band,
        {{ lower_edge('compared.session_count', var('alike_session_counts')) }}
            as session_band,
        {{ lower_edge(
            'compared.watched_seconds', var('alike_watched_seconds')
        ) }} as watched_band_seconds,
        {{ days_between('bounds.first_date', 'compared.cohort_date') }}
            as start_day_number,
        {{ days_between('bounds.first_date', 'bounds.last_date') }} + 1
            as start_day_count
    from compared
    cross join bounds
    left join frequent as platforms
        on
            platforms.dimension = 'platform'
            and compared.platform = platforms.dimension_value
    left join frequent as countries
        on
            countries.dimension = 'country'
            and compared.country_code = countries.dimension_value
    left join frequent as channels
        on
            channels.dimension = 'channel'
            and compared.acquisition_channel = channels.dimension_value
),

explorations as (
    select
        user_id,
        'genres' as exploration_name,
        genre_count
    from compared
    union all
    select
        user_id,
        'shuffled_genres' as exploration_name,
        shuffled_genre_count as genre_count
    from compared
    union all
    select
        user_id,
        'overlapping_genres' as exploration_name,
        overlapping_genre_count as genre_count
    from compared
),

final as (
    select
        -- attributes
        explorations.exploration_name,
        alike.platform_group,
        alike.country_group,
        alike.channel_group,
        alike.is_weekend_start,
        explorations.genre_count >= {{ var('explorer_genre_count') }}
            as is_explorer,

        -- measures
        {{ var('genre_outcome_day') }} as day_number,
        cast(alike.fold_number as integer) as fold_number,
        least(explorations.genre_count, {{ var('explorer_genre_count') }})
            as genre_level,
        cast(alike.valid_play_band as integer) as valid_play_band,
        alike.active_day_count,
        cast(alike.session_band as integer) as session_band,
        cast(alike.watched_band_seconds as bigint) as watched_band_seconds,
        1 + cast(
            floor(
                {{ rate(
                    'alike.start_day_number * ' ~ var('alike_span_count'),
                    'alike.start_day_count'
                ) }}
            ) as integer
        ) as cohort_span_number,
        cast(count(*) as integer) as eligible_users,
        cast(count(*) filter (where alike.is_retained) as integer)
            as retained_users
    from alike
    inner join explorations
        on alike.user_id = explorations.user_id
    group by
        explorations.exploration_name,
        alike.platform_group,
        alike.country_group,
        alike.channel_group,
        alike.is_weekend_start,
        is_explorer,
        alike.fold_number,
        genre_level,
        alike.valid_play_band,
        alike.active_day_count,
        alike.session_band,
        alike.watched_band_seconds,
        cohort_span_number
)

select * from final
