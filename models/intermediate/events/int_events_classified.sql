{#-
    Grain: one row per readable line of the events file, with its verdict.

    Every line ends as canonical, duplicate or rejected; nothing is dropped.
    Copies are looked for among the lines that break no rule: of those that
    share an id the earliest stands, and the remaining columns break ties so
    that the order of lines never matters. Ids that occur once need no sorting,
    so lines are told apart before they are compared.

    Everything that happens to a user is ordered here once: by time, receipt,
    the source's own number and id. Models above order by `event_number`.
-#}

with

events as (select * from {{ ref('stg_service__events') }}),

judged as (select * from {{ ref('int_events_judged') }}),

candidates as (select * from {{ ref('int_events_judged') }}),

-- Only ids that occur again have copies to compare.
repeated as (
    select event_id
    from events
    group by event_id
    having count(*) > 1
),

-- Ids that occur once are spared the sort.
singles as (
    select
        judged.*,
        1 as copy_number
    from judged
    left join repeated
        on judged.event_id = repeated.event_id
    where repeated.event_id is null
),

-- The columns break ties, so that the order of lines never matters.
copies as (
    select
        candidates.*,
        row_number() over (
            partition by
                candidates.event_id,
                candidates.reject_reason is null
            order by
                candidates.event_at asc nulls last,
                candidates.user_id asc nulls last,
                candidates.content_id asc nulls last,
                candidates.event_type asc nulls last,
                candidates.device_type asc nulls last,
                candidates.received_at asc nulls last,
                candidates.sequence_number asc nulls last,
                candidates.position_seconds asc nulls last,
                candidates.playback_speed asc nulls last,
                candidates.ended_at asc nulls last,
                candidates.player_id asc nulls last
        ) as copy_number
    from candidates
    inner join repeated
        on candidates.event_id = repeated.event_id
),

-- All lines again, each with its place among its copies.
numbered as (
    select * from singles
    union all
    select * from copies
),

-- The one order of a user's events that models above rely on.
ordered as (
    select
        *,
        row_number() over (
            partition by user_id
            order by
                event_at asc nulls last,
                received_at asc nulls last,
                sequence_number asc nulls last,
                event_id asc nulls last,
                copy_number asc nulls last,
                reject_reason asc nulls last
        ) as event_number
    from numbered
),

final as (
    select
        -- keys
        event_id,
        user_id,
        content_id,
        player_id,

        -- attributes
        event_type,
        playback_effect,
        coalesce(device_type, 'unknown') as device_type,
        is_active,
        reject_reason,
        case
            when reject_reason is not null then 'rejected'
            when copy_number > 1 then 'duplicate'
            else 'canonical'
        end as row_verdict,

        -- measures
        event_number,
        position_seconds,
        playback_speed,

        -- times
        event_at,
        ended_at
    from ordered
)

select * from final
