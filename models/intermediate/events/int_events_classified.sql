{{ config(meta={
    'cut_by': 'user_key', 'event_bytes': 200, 'keeps': 'int_events_judged'
}) }}

{#-
    Grain: one row per readable line of the events file, with its verdict.

    Every line ends as canonical, duplicate or rejected; nothing is dropped.
    Copies are looked for among the lines that break no rule: of those that
    share an id the earliest stands, and the remaining columns break ties so
    that the order of lines never matters. Ids that occur once need no sorting.

    Everything that happens to a user is ordered here once: by time, receipt,
    the source's own number and id. Models above know an event by its user's key
    and `event_number`, and order by that; its id is kept here alone.
-#}

with

judged as (select * from {{ ref('int_events_judged') }}),

names as (select * from {{ ref('int_names_keyed') }}),

types as (select * from {{ ref('int_event_types_keyed') }}),

-- What a device that nobody named is called.
unknown_device as (
    select name_key as device_key
    from names
    where name = 'unknown'
),

-- The columns break ties, so that the order of lines never matters. Ids that
-- occur once are spared this sort; texts decide about the others.
copies as (
    select
        *,
        row_number() over (
            partition by
                event_id,
                reject_reason is null
            order by
                event_at asc nulls last,
                user_key asc nulls last,
                content_key asc nulls last,
                event_type_key asc nulls last,
                device_key asc nulls last,
                received_at asc nulls last,
                sequence_number asc nulls last,
                position_seconds asc nulls last,
                playback_speed asc nulls last,
                ended_at asc nulls last,
                player_key asc nulls last
        ) as copy_number
    from judged
    where may_be_repeated
),

-- One line of each id that breaks no rule stands.
standing as (
    select
        event_id,
        user_key,
        content_key,
        event_type_key,
        device_key,
        player_key,
        position_seconds,
        playback_speed,
        sequence_number,
        event_at,
        ended_at,
        received_at
    from judged
    where
        not may_be_repeated
        and reject_reason is null
    union all
    select
        event_id,
        user_key,
        content_key,
        event_type_key,
        device_key,
        player_key,
        position_seconds,
        playback_speed,
        sequence_number,
        event_at,
        ended_at,
        received_at
    from copies
    where
        copy_number = 1
        and reject_reason is null
),

-- The one order of a user's events that models above rely on. Texts make it
-- the dearest sort of all, so that only what stands is sorted.
ordered as (
    select
        *,
        row_number() over (
            partition by user_key
            order by
                event_at asc nulls last,
                received_at asc nulls last,
                sequence_number asc nulls last,
                event_id asc nulls last
        ) as event_number
    from standing
),

-- All lines again; a rejected line is not numbered, nor is a copy.
told as (
    select
        event_id,
        user_key,
        content_key,
        event_type_key,
        device_key,
        player_key,
        cast(null as {{ data_type('varchar') }}) as reject_reason,
        'canonical' as row_verdict,
        cast(event_number as integer) as event_number,
        position_seconds,
        playback_speed,
        event_at,
        ended_at
    from ordered
    union all
    select
        event_id,
        user_key,
        content_key,
        event_type_key,
        device_key,
        player_key,
        reject_reason,
        'rejected' as row_verdict,
        cast(null as integer) as event_number,
        position_seconds,
        playback_speed,
        event_at,
        ended_at
    from judged
    where reject_reason is not null
    union all
    select
        event_id,
        user_key,
        content_key,
        event_type_key,
        device_key,
        player_key,
        reject_reason,
        'duplicate' as row_verdict,
        cast(null as integer) as event_number,
        position_seconds,
        playback_speed,
        event_at,
        ended_at
    from copies
    where
        copy_number > 1
        and reject_reason is null
),

final as (
    select
        -- keys
        told.event_id,
        told.user_key,
        told.content_key,
        told.event_type_key,
        coalesce(told.device_key, unknown_device.device_key) as device_key,
        coalesce(
            told.player_key, told.device_key, unknown_device.device_key
        ) as player_key,

        -- attributes
        types.playback_effect,
        coalesce(types.is_active, false) as is_active,
        told.reject_reason,
        told.row_verdict,

        -- measures
        told.event_number,
        told.position_seconds,
        told.playback_speed,

        -- times
        told.event_at,
        told.ended_at
    from told
    cross join unknown_device
    left join types
        on told.event_type_key = types.event_type_key
)

select * from final
