{#-
    Grain: one row per name that events tell of: of a type of event, a kind of
    device, or a player.

    Events carry keys instead of names. A name has one key, whatever it is the
    name of, and keys are in the order of the names, so that nothing depends on
    the order of lines.
-#}

with

events as (select * from {{ ref('stg_service__events') }}),

-- Few combinations occur: names are looked for among these.
told as (
    select
        event_type,
        device_type,
        player_id
    from events
    group by
        event_type,
        device_type,
        player_id
),

-- A device that nobody named is the unknown one.
named as (
    select
        event_type as name,
        true as is_of_event
    from told
    union distinct
    select
        device_type as name,
        false as is_of_event
    from told
    union distinct
    select
        player_id as name,
        false as is_of_event
    from told
    union distinct
    select
        'unknown' as name,
        false as is_of_event
),

final as (
    select
        -- keys
        cast(row_number() over (order by name asc nulls last) as integer)
            as name_key,

        -- attributes
        name,
        count(*) filter (where is_of_event) > 0 as is_of_event
    from named
    where name is not null
    group by name
)

select * from final
