{#- No two canonical events share an id. -#}

with

events as (select * from {{ ref('int_events_classified') }}),

fingerprints as (
    select {{ fingerprint('event_id') }} as id_fingerprint
    from events
    where row_verdict = 'canonical'
    group by {{ fingerprint('event_id') }}
    having count(*) > 1
),

final as (
    select
        events.event_id,
        count(*) as occurrence_count
    from events
    inner join fingerprints
        on {{ fingerprint('events.event_id') }} = fingerprints.id_fingerprint
    where events.row_verdict = 'canonical'
    group by events.event_id
    having count(*) > 1
)

select * from final
