{{ config(materialized='view') }}

{#-
    Grain: one row per readable line of the events file, with the first rule
    that it breaks.

    What a type of event does to a title and whether it makes its user active is
    looked up here once, in `event_types.csv`; models above ask for the effect
    and never for the type. Events of a type that is not declared there are
    rejected, or, while `unknown_event_types` is `keep`, do nothing. An event
    that does nothing to a title may be about none.

    Rules are tried in the order written.
-#}

{%- if var('unknown_event_types') not in ['reject', 'keep'] %}
    {{ exceptions.raise_compiler_error(
        "unknown_event_types is '" ~ var('unknown_event_types')
        ~ "'. Write reject or keep."
    ) }}
{%- endif %}

with

events as (select * from {{ ref('stg_service__events') }}),

types as (select * from {{ ref('stg_reference__event_types') }}),

users as (select * from {{ ref('int_users_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

-- Only users that stand can own events.
known_users as (
    select
        user_id,
        signed_up_at
    from users
    where row_verdict = 'canonical'
),

-- Only titles that stand can be played.
known_titles as (
    select content_id
    from titles
    where row_verdict = 'canonical'
),

-- What the event's type does, as declared, or by the policy on others.
typed as (
    select
        events.*,
        case
            when types.event_type is not null then types.playback_effect
            when
                '{{ var("unknown_event_types") }}' = 'keep'
                and events.event_type is not null
                then 'none'
        end as playback_effect,
        coalesce(types.is_active, false) as is_active
    from events
    left join types
        on events.event_type = types.event_type
),

final as (
    select
        -- keys
        typed.event_id,
        typed.user_id,
        typed.content_id,
        typed.player_id,

        -- attributes
        typed.event_type,
        typed.playback_effect,
        typed.device_type,
        typed.is_active,
        case
            when
                typed.event_id is null
                or typed.user_id is null
                or typed.event_at is null
                or (
                    typed.content_id is null
                    and coalesce(typed.playback_effect <> 'none', true)
                )
                then 'missing_key'
            when typed.playback_effect is null then 'unknown_event_type'
            when
                typed.event_at
                < cast(
                    '{{ var("earliest_event_at") }}'
                    as {{ data_type('timestamp') }}
                )
                or typed.event_at
                >= cast(
                    '{{ var("latest_event_at") }}'
                    as {{ data_type('timestamp') }}
                )
                then 'impossible_time'
            when known_users.user_id is null then 'unknown_user'
            when
                known_titles.content_id is null
                and typed.content_id is not null
                then 'unknown_content'
            when typed.event_at < known_users.signed_up_at
                then 'before_sign_up'
        end as reject_reason,

        -- measures
        typed.position_seconds,
        typed.playback_speed,
        typed.sequence_number,

        -- times
        typed.event_at,
        typed.ended_at,
        typed.received_at
    from typed
    left join known_users
        on typed.user_id = known_users.user_id
    left join known_titles
        on typed.content_id = known_titles.content_id
)

select * from final
