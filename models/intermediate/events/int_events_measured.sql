{#-
    Grain: one row per canonical event; plays carry the seconds watched.

    A play closes at its user's next event, at its title's end or at
    `maximum_play_seconds`, whichever comes first. A play that ends its session
    on a title of unknown length was watched for nobody knows how long: it is
    credited with nothing. Whole seconds, so that sums are exact.
-#}

with

events as (select * from {{ ref('int_events_sessionized') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

known_titles as (
    select
        content_id,
        duration_seconds
    from titles
    where row_verdict = 'canonical'
),

opened as (
    select
        events.*,
        known_titles.duration_seconds,
        {{ seconds_between('events.event_at', 'events.next_event_at') }}
            as seconds_to_next_event
    from events
    inner join known_titles
        on events.content_id = known_titles.content_id
),

closed as (
    select
        *,
        case
            when event_type <> 'play' then null
            when is_session_end and duration_seconds is null then 0
            else
                least(
                    coalesce(seconds_to_next_event, duration_seconds),
                    coalesce(duration_seconds, seconds_to_next_event),
                    {{ var('maximum_play_seconds') }}
                )
        end as open_seconds
    from opened
),

final as (
    select
        -- keys
        event_id,
        session_id,
        user_id,
        content_id,

        -- attributes
        event_type,
        device_type,
        is_session_start,
        coalesce(open_seconds >= {{ var('valid_play_seconds') }}, false)
            as is_valid_play,

        -- measures
        session_number,
        cast(floor(open_seconds) as bigint) as watched_seconds,

        -- times
        event_date,
        event_at
    from closed
)

select * from final
