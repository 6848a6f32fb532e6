{{ config(materialized='view') }}

{#-
    Grain: one row per canonical event, put to the play that it belongs to.

    What an event does to its title is its type's effect, of `event_types.csv`.
    A player is one of the user's, by `player_id` or else by kind of device. An
    event that `plays` opens a play, unless it resumes its own title within
    `session_gap_seconds` of one that `pauses`. Others belong to the player's
    latest play when they are about its title; otherwise they are strays, which
    belong to no play and change none: players tell of the end of one title
    after the beginning of the next. Events without effect are no player's: they
    belong to no play, and no other event has them before it or after it.

    After an event the title runs, `is_playing`, until the player's next event
    that is no stray: after one that `plays`, and after one that `seeks` or
    `beats` while it ran. That it ran all the while `is_shown` when that event
    is about the same play; a beat later than `session_gap_seconds` shows an app
    that woke up, not a title that ran. After an event that `plays` and was
    logged with its end, the title ran until then.

    Each step sorts all events again, by player, because it asks for what the
    step before found out; so only what a later one needs is carried along, and
    words are carried as numbers.
-#}

{%- set plays = word_number('playback_effect', 'plays') -%}
{%- set pauses = word_number('playback_effect', 'pauses') -%}
{%- set seeks = word_number('playback_effect', 'seeks') -%}
{%- set beats = word_number('playback_effect', 'beats') -%}
{%- set ended = word_number('closing_type', 'ended') -%}
{%- set next_play = word_number('closing_type', 'next_play') %}

with

classified as (select * from {{ ref('int_events_classified') }}),

classified_again as (select * from {{ ref('int_events_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

-- Only a title that stands has a length.
known_titles as (
    select
        content_key,
        duration_seconds
    from titles
    where row_verdict = 'canonical'
),

-- What acts on a title.
events as (
    select
        user_key,
        event_number,
        content_key,
        device_key,
        player_key,
        {{ number_of_word('playback_effect') }} as effect,
        is_active,
        coalesce(position_seconds, playback_speed) is not null as has_position,
        event_at,
        case
            when playback_effect = 'plays' and ended_at >= event_at
                then ended_at
        end as ended_at
    from classified
    where
        row_verdict = 'canonical'
        and playback_effect <> 'none'
),

-- Which title the player had last begun, at each event.
titled as (
    select
        *,
        {{ last_known(
            'case when effect = ' ~ plays ~ ' then content_key end', 'so_far'
        ) }} as played_content_key
    from events
    window
        so_far as (
            partition by user_key, player_key
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

-- An event about another title is a stray.
placed as (
    select
        *,
        coalesce(played_content_key = content_key, false) as is_of_play
    from titled
),

-- What came before: a stray ends nothing, and the others are each other's
-- neighbours.
preceded as (
    select
        *,
        lag(event_at) over events_of_player as previous_event_at,
        lag(content_key) over events_of_player as previous_content_key,
        -- What the player was last told to do.
        {{ last_known(
            'case when effect not in (' ~ seeks ~ ', ' ~ beats ~ ')'
            ~ ' then effect end',
            'earlier_events'
        ) }} as told_effect
    from placed
    window
        events_of_player as (
            partition by user_key, player_key, is_of_play
            order by event_number asc nulls last
        ),
        earlier_events as (
            partition by user_key, player_key, is_of_play
            order by event_number asc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

-- Whether the event begins a play, or wakes an app up.
told as (
    select
        *,
        (
            effect = {{ plays }}
            and not coalesce(
                told_effect = {{ pauses }}
                and previous_content_key = content_key
                and {{ seconds_between('previous_event_at', 'event_at') }}
                <= {{ var('session_gap_seconds') }},
                false
            )
        ) as is_opening,
        (
            effect = {{ beats }}
            and coalesce(
                {{ seconds_between('previous_event_at', 'event_at') }}
                > {{ var('session_gap_seconds') }},
                true
            )
        ) as is_awakening
    from preceded
),

-- What comes next, and what the latest telling event left the player doing: an
-- effect's number. A title whose end was logged is at its end, and one that
-- only an app that woke up tells of does nothing.
states as (
    select
        *,
        lead(event_at) over events_of_player as next_event_at,
        lead(effect) over events_of_player as next_effect,
        {{ last_known('case when is_opening then event_number end', 'so_far') }}
            as opening_number,
        {{ last_known(
            'case'
            ~ ' when is_awakening then '
            ~ word_number('playback_effect', 'none')
            ~ ' when effect = ' ~ plays ~ ' and ended_at is not null'
            ~ ' then ' ~ ended
            ~ ' when effect not in (' ~ seeks ~ ', ' ~ beats ~ ')'
            ~ ' then effect end',
            'so_far'
        ) }} as state
    from told
    window
        events_of_player as (
            partition by user_key, player_key, is_of_play
            order by event_number asc nulls last
        ),
        so_far as (
            partition by user_key, player_key, is_of_play
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

-- Whether the event is followed by one of the same play.
followed as (
    select
        *,
        coalesce(
            is_of_play
            and next_effect <> {{ plays }}
            and not (
                next_effect = {{ beats }}
                and {{ seconds_between('event_at', 'next_event_at') }}
                > {{ var('session_gap_seconds') }}
            ),
            false
        ) as is_followed
    from states
),

-- What ends the time after each event.
closed as (
    select
        followed.user_key,
        followed.event_number,
        case when followed.is_of_play then followed.opening_number end
            as play_number,
        followed.content_key,
        followed.device_key,
        followed.effect,
        followed.is_active,
        coalesce(
            followed.is_of_play
            and (
                followed.state = {{ plays }}
                or (
                    followed.state = {{ ended }}
                    and followed.effect = {{ plays }}
                )
            ),
            false
        ) as is_playing,
        followed.is_followed or followed.ended_at is not null as is_shown,
        (
            followed.effect = {{ beats }}
            or (
                followed.is_followed
                and followed.ended_at is null
                and followed.next_effect = {{ beats }}
            )
        ) as has_beat,
        case
            when followed.ended_at is not null then {{ ended }}
            when followed.is_followed then followed.next_effect
            when followed.next_event_at is not null then {{ next_play }}
        end as closing,
        followed.has_position,
        known_titles.duration_seconds,
        followed.event_at,
        coalesce(followed.ended_at, followed.next_event_at) as closing_at
    from followed
    inner join known_titles
        on followed.content_key = known_titles.content_key
),

-- Events that do nothing to a title.
neutral as (
    select
        user_key,
        event_number,
        cast(null as integer) as play_number,
        content_key,
        device_key,
        {{ word_number('playback_effect', 'none') }} as effect,
        is_active,
        false as is_playing,
        false as is_shown,
        false as has_beat,
        cast(null as integer) as closing,
        false as has_position,
        cast(null as {{ data_type('double') }}) as duration_seconds,
        event_at,
        cast(null as {{ data_type('timestamp') }}) as closing_at
    from classified_again
    where
        row_verdict = 'canonical'
        and playback_effect = 'none'
),

-- Both kinds together, so that sessions see all of a user's events.
united as (
    select * from closed
    union all
    select * from neutral
),

final as (
    select
        -- keys
        user_key,
        event_number,
        play_number,
        content_key,
        device_key,

        -- attributes
        {{ word_of_number('playback_effect', 'effect') }} as playback_effect,
        is_active,
        is_playing,
        is_shown,
        has_beat,
        {{ word_of_number('closing_type', 'closing') }} as closing_type,
        has_position,

        -- measures
        duration_seconds,

        -- times
        event_at,
        closing_at
    from united
)

select * from final
