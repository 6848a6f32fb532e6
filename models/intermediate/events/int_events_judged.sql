{{ config(materialized='view') }}

{#-
    Grain: one row per readable line of the events file, with the first rule
    that it breaks.

    Rules are tried in the order written.
-#}

with

events as (select * from {{ ref('stg_service__events') }}),

users as (select * from {{ ref('int_users_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

known_users as (
    select
        user_id,
        signed_up_at
    from users
    where row_verdict = 'canonical'
),

known_titles as (
    select content_id
    from titles
    where row_verdict = 'canonical'
),

final as (
    select
        -- keys
        events.event_id,
        events.user_id,
        events.content_id,
        events.player_id,

        -- attributes
        events.event_type,
        events.device_type,
        case
            when
                events.event_id is null
                or events.user_id is null
                or events.content_id is null
                or events.event_at is null
                then 'missing_key'
            when
                events.event_type is null
                or events.event_type not in (
                    'play', 'pause', 'skip', 'stop', 'seek', 'heartbeat'
                )
                then 'unknown_event_type'
            when
                events.event_at
                < cast(
                    '{{ var("earliest_event_at") }}'
                    as {{ data_type('timestamp') }}
                )
                or events.event_at
                >= cast(
                    '{{ var("latest_event_at") }}'
                    as {{ data_type('timestamp') }}
                )
                then 'impossible_time'
            when known_users.user_id is null then 'unknown_user'
            when known_titles.content_id is null then 'unknown_content'
            when events.event_at < known_users.signed_up_at
                then 'before_sign_up'
        end as reject_reason,

        -- measures
        events.position_seconds,
        events.playback_speed,
        events.sequence_number,

        -- times
        events.event_at,
        events.ended_at,
        events.received_at
    from events
    left join known_users
        on events.user_id = known_users.user_id
    left join known_titles
        on events.content_id = known_titles.content_id
)

select * from final
