{{ config(meta={'cut_by': 'user_key', 'event_bytes': 250}) }}

{#-
    Grain: one row per session.

    A session lasts while something of it is shown to run. Where one was cut,
    a piece lasts until the next one at most, and a title that was running goes
    on in that: the pieces add up to the whole and nobody is in two at once.
-#}

with

events as (select * from {{ ref('int_events_bounded') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

-- Only a title that stands has a length.
known_titles as (
    select
        content_key,
        duration_seconds
    from titles
    where row_verdict = 'canonical'
),

-- How long after each event its title was shown to run: its interval, but no
-- longer than the title.
shown as (
    select
        events.*,
        case
            when events.is_shown
                then least(events.bound_seconds, known_titles.duration_seconds)
            else 0
        end as shown_seconds
    from events
    left join known_titles
        on events.content_key = known_titles.content_key
),

-- Each piece of a run by itself.
sessions as (
    select
        user_key,
        run_start_number,
        piece_number,
        count(*) as event_count,
        count(*) filter (where event_number = play_number) as play_count,
        min(event_date) as session_date,
        min(event_at) as started_at,
        max({{ add_seconds('event_at', 'shown_seconds') }}) as shown_until_at
    from shown
    group by user_key, run_start_number, piece_number
),

-- In the order of the user's sessions, with what reaches over a cut.
numbered as (
    select
        *,
        row_number() over sessions_of_user as session_number,
        -- What was shown before a silence is over: this looks back to where
        -- the session was cut, and no further.
        least(
            max(shown_until_at) over sessions_so_far,
            lead(started_at) over sessions_of_user
        ) as ended_at
    from sessions
    window
        sessions_of_user as (
            partition by user_key
            order by
                run_start_number asc nulls last,
                piece_number asc nulls last
        ),
        sessions_so_far as (
            partition by user_key
            order by
                run_start_number asc nulls last,
                piece_number asc nulls last
            rows between unbounded preceding and current row
        )
),

final as (
    select
        -- keys
        user_key,
        run_start_number,
        piece_number,

        -- measures
        cast(session_number as integer) as session_number,
        cast(event_count as integer) as event_count,
        cast(play_count as integer) as play_count,
        {{ seconds_between('started_at', 'ended_at') }} as duration_seconds,

        -- times
        session_date,
        started_at
    from numbered
)

select * from final
