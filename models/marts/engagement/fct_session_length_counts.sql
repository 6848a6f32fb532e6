{#-
    Grain: one row per dimension, value and whole second of session length that
    occurs.

    A length is counted in whole seconds that have passed. A session counts once
    for each device type that its plays were on and each genre of its valid
    plays, so that devices and genres do not add up to `all`, which also holds
    the sessions without a play.
-#}

with

sessions as (select * from {{ ref('fct_sessions') }}),

plays as (select * from {{ ref('fct_plays') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

lengths as (
    select
        session_id,
        platform,
        country_code,
        cast(floor(duration_seconds) as bigint) as length_seconds
    from sessions
),

account_counts as (
    select
        platform,
        country_code,
        length_seconds,
        count(*) as session_count
    from lengths
    group by platform, country_code, length_seconds
),

counted as (
    select
        'all' as dimension,
        'all' as dimension_value,
        length_seconds,
        session_count
    from account_counts
    union all
    select
        'platform' as dimension,
        platform as dimension_value,
        length_seconds,
        session_count
    from account_counts
    union all
    select
        'country' as dimension,
        country_code as dimension_value,
        length_seconds,
        session_count
    from account_counts
    union all
    select
        'device' as dimension,
        plays.device_type as dimension_value,
        lengths.length_seconds,
        count(distinct plays.session_id) as session_count
    from plays
    inner join lengths
        on plays.session_id = lengths.session_id
    group by plays.device_type, lengths.length_seconds
    union all
    select
        'genre' as dimension,
        tags.genre_name as dimension_value,
        lengths.length_seconds,
        count(distinct plays.session_id) as session_count
    from plays
    inner join tags
        on plays.content_id = tags.content_id
    inner join lengths
        on plays.session_id = lengths.session_id
    where plays.is_valid_play
    group by tags.genre_name, lengths.length_seconds
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,

        -- measures
        length_seconds,
        cast(sum(session_count) as integer) as session_count
    from counted
    group by dimension, dimension_value, length_seconds
)

select * from final
