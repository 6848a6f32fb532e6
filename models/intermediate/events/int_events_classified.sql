{#-
    Grain: one row per readable line of the events file, with its verdict.

    Every line ends as canonical, duplicate or rejected; nothing is dropped.
    Copies are looked for among the lines that break no rule: of those that
    share an id the earliest stands, and the remaining columns break ties so
    that the order of lines never matters. Ids that occur once need no sorting,
    so lines are told apart before they are compared.

    Everything that happens to a user is ordered here once: by time, receipt,
    the source's own number and id. Models above know an event by its user's key
    and `event_number`, and order by that; its id is kept here alone.
-#}

with

events as (select * from {{ ref('stg_service__events') }}),

judged as (select * from {{ ref('int_events_judged') }}),

names as (select * from {{ ref('int_names_keyed') }}),

types as (select * from {{ ref('int_event_types_keyed') }}),

-- Only ids that occur again have copies to compare.
repeated as (
    select {{ fingerprint('event_id') }} as id_fingerprint
    from events
    where event_id is not null
    group by {{ fingerprint('event_id') }}
    having count(*) > 1
),

-- What a device that nobody named is called.
unknown_device as (
    select name_key as device_key
    from names
    where name = 'unknown'
),

-- Fingerprints find ids that may occur again; texts decide below.
told_apart as (
    select
        judged.*,
        repeated.id_fingerprint is not null as may_be_repeated
    from judged
    left join repeated
        on {{ fingerprint('judged.event_id') }} = repeated.id_fingerprint
),

-- Ids that occur once are spared the sort.
singles as (
    select
        *,
        1 as copy_number
    from told_apart
    where not may_be_repeated
),

-- The columns break ties, so that the order of lines never matters.
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
    from told_apart
    where may_be_repeated
),

-- All lines again, each with its place among its copies.
numbered as (
    select * from singles
    union all
    select * from copies
),

-- A rejected line is not numbered, nor is a copy.
told as (
    select
        *,
        reject_reason is null and copy_number = 1 as is_canonical
    from numbered
),

-- The one order of a user's events that models above rely on.
ordered as (
    select
        *,
        row_number() over (
            partition by user_key, is_canonical
            order by
                event_at asc nulls last,
                received_at asc nulls last,
                sequence_number asc nulls last,
                event_id asc nulls last
        ) as place
    from told
),

final as (
    select
        -- keys
        ordered.event_id,
        ordered.user_key,
        ordered.content_key,
        ordered.event_type_key,
        coalesce(ordered.device_key, unknown_device.device_key) as device_key,
        coalesce(
            ordered.player_key, ordered.device_key, unknown_device.device_key
        ) as player_key,

        -- attributes
        types.playback_effect,
        coalesce(types.is_active, false) as is_active,
        ordered.reject_reason,
        case
            when ordered.reject_reason is not null then 'rejected'
            when ordered.copy_number > 1 then 'duplicate'
            else 'canonical'
        end as row_verdict,

        -- measures
        case when ordered.is_canonical then cast(ordered.place as integer) end
            as event_number,
        ordered.position_seconds,
        ordered.playback_speed,

        -- times
        ordered.event_at,
        ordered.ended_at
    from ordered
    cross join unknown_device
    left join types
        on ordered.event_type_key = types.event_type_key
)

select * from final
