{{ config(materialized='view') }}

{#-
    Grain: one row per readable line of the events file, with the first rule
    that it breaks.

    Of an event's type only the effect counts (int_event_types_keyed); an event
    that does nothing to a title may be about none.

    Rules are tried in the order written. From here on users, titles and names
    are keys: whole numbers, in the order of what they stand for. Fingerprints
    tell which ids may occur again: only those have copies to compare.
-#}

with

events as (select * from {{ ref('stg_service__events') }}),

events_again as (select * from {{ ref('stg_service__events') }}),

types as (select * from {{ ref('int_event_types_keyed') }}),

names as (select * from {{ ref('int_names_keyed') }}),

users as (select * from {{ ref('int_users_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

-- Only users that stand can own events.
known_users as (
    select
        user_id,
        user_key,
        signed_up_at
    from users
    where row_verdict = 'canonical'
),

-- Only titles that stand can be played.
known_titles as (
    select
        content_id,
        content_key
    from titles
    where row_verdict = 'canonical'
),

repeated as (
    select {{ fingerprint('event_id') }} as id_fingerprint
    from events_again
    where event_id is not null
    group by {{ fingerprint('event_id') }}
    having count(*) > 1
),

final as (
    select
        -- keys
        events.event_id,
        known_users.user_key,
        known_titles.content_key,
        types.event_type_key,
        devices.name_key as device_key,
        players.name_key as player_key,

        -- attributes
        case
            when
                events.event_id is null
                or events.user_id is null
                or events.event_at is null
                or (
                    events.content_id is null
                    and coalesce(types.playback_effect <> 'none', true)
                )
                then 'missing_key'
            when types.playback_effect is null then 'unknown_event_type'
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
            when known_users.user_key is null then 'unknown_user'
            when
                known_titles.content_key is null
                and events.content_id is not null
                then 'unknown_content'
            when events.event_at < known_users.signed_up_at
                then 'before_sign_up'
        end as reject_reason,
        repeated.id_fingerprint is not null as may_be_repeated,

        -- measures
        events.position_seconds,
        events.playback_speed,
        events.sequence_number,

        -- times
        events.event_at,
        events.ended_at,
        events.received_at
    from events
    left join types
        on events.event_type = types.event_type
    left join names as devices
        on events.device_type = devices.name
    left join names as players
        on events.player_id = players.name
    left join known_users
        on events.user_id = known_users.user_id
    left join known_titles
        on events.content_id = known_titles.content_id
    left join repeated
        on {{ fingerprint('events.event_id') }} = repeated.id_fingerprint
)

select * from final
