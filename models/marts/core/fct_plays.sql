{#- Grain: one row per play: one attempt at a title, with its pauses. -#}

with

plays as (select * from {{ ref('int_plays_measured') }}),

users as (select * from {{ ref('int_users_started') }}),

final as (
    select
        -- keys
        plays.play_id,
        plays.session_id,
        plays.user_id,
        plays.content_id,

        -- attributes
        users.platform,
        users.country_code,
        plays.device_type,
        plays.close_reason_code,
        users.is_new,
        plays.is_valid_play,
        plays.is_completed,
        plays.is_skipped,

        -- measures
        {{ days_between('users.cohort_date', 'plays.play_date') }}
            as day_number,
        plays.pause_count,
        plays.watched_seconds,
        plays.net_watched_seconds,
        plays.unique_seconds,
        plays.completion_rate,

        -- times
        plays.play_date,
        plays.started_at,
        plays.ended_at
    from plays
    inner join users
        on plays.user_id = users.user_id
)

select * from final
