{#-
    Every line of event_types.csv says what its type does and whether it makes
    active, once, and some type makes active. A failure returns a row per
    mistake, with its remedy.
-#}

with

types as (select * from {{ ref('stg_reference__event_types') }}),

types_again as (select * from {{ ref('stg_reference__event_types') }}),

repeated as (
    select
        event_type,
        count(*) as line_count
    from types_again
    where event_type is not null
    group by event_type
    having count(*) > 1
),

active as (
    select count(*) filter (where is_active) as active_count
    from types
),

mistakes as (
    select
        event_type,
        'has no event_type' as problem,
        'write the type as the events spell it, or remove the line' as remedy
    from types
    where event_type is null
    union all
    select
        event_type,
        'is declared ' || cast(line_count as {{ data_type('varchar') }})
        || ' times, small and capital letters alike' as problem,
        'keep one of its lines' as remedy
    from repeated
    union all
    select
        event_type,
        'has no label' as problem,
        'write its name for people' as remedy
    from types
    where label is null
    union all
    select
        event_type,
        'playback_effect ' || coalesce(playback_effect, 'empty')
        || ' is unknown' as problem,
        'write plays, pauses, skips, stops, seeks, beats, or none for a type '
        || 'that does nothing to a title' as remedy
    from types
    where
        not coalesce(
            playback_effect in (
                'plays', 'pauses', 'skips', 'stops', 'seeks', 'beats', 'none'
            ),
            false
        )
    union all
    select
        event_type,
        'does not say whether it makes active' as problem,
        'write true or false under is_active' as remedy
    from types
    where is_active is null
    union all
    select
        cast(null as {{ data_type('varchar') }}) as event_type,
        'no type makes active, so that nobody ever would be' as problem,
        'write true under is_active on at least one line' as remedy
    from active
    -- `dbt build --empty` reads no line of any file.
    where active_count = 0 and {{ 'false' if flags.EMPTY else 'true' }}
),

final as (
    select
        'event_types.csv, ' || coalesce(event_type || ': ', '') || problem
            as problem,
        remedy
    from mistakes
)

select * from final
