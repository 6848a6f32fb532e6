{#- Grain: one row per log: what it covers and under which definitions. -#}

with

bounds as (select * from {{ ref('int_log_bounded') }}),

users as (select * from {{ ref('dim_users') }}),

titles as (select * from {{ ref('dim_content') }}),

sessions as (select * from {{ ref('int_sessions_measured') }}),

user_totals as (
    select
        count(*) as user_count,
        count(*) filter (where is_new) as new_user_count,
        count(*) filter (where is_established) as established_user_count,
        count(*) filter (where first_active_at is null)
            as never_active_user_count
    from users
),

title_totals as (
    select
        count(*) as title_count,
        count(*) filter (where genre_count = 0) as untagged_title_count
    from titles
),

session_totals as (
    select
        count(*) as session_count,
        coalesce(sum(event_count), 0) as event_count,
        coalesce(sum(play_count), 0) as play_count
    from sessions
),

final as (
    select
        -- attributes
        cast(
            '{{ var("time_zone") }}' as {{ data_type('varchar') }}
        ) as time_zone,

        -- measures
        cast(user_totals.user_count as integer) as user_count,
        cast(user_totals.new_user_count as integer) as new_user_count,
        cast(user_totals.established_user_count as integer)
            as established_user_count,
        cast(user_totals.never_active_user_count as integer)
            as never_active_user_count,
        cast(title_totals.title_count as integer) as title_count,
        cast(title_totals.untagged_title_count as integer)
            as untagged_title_count,
        cast(session_totals.event_count as bigint) as event_count,
        cast(session_totals.session_count as bigint) as session_count,
        cast(session_totals.play_count as bigint) as play_count,
        cast({{ var('session_gap_seconds') }} as bigint)
            as session_gap_seconds,
        cast({{ var('valid_play_seconds') }} as bigint) as valid_play_seconds,

        -- times
        bounds.observed_from_date,
        bounds.watermark_date,
        bounds.last_event_at
    from bounds
    cross join user_totals
    cross join title_totals
    cross join session_totals
)

select * from final
