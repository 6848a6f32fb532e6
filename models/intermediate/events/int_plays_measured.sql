{{ config(meta={'cut_by': 'user_key', 'event_bytes': 400}) }}

{#-
    Grain: one row per play: one attempt at a title, with its pauses.

    Time is credited while the title runs: until its interval ends, the title
    ends, or the play has run for `maximum_play_seconds`. `watched_seconds`
    counts time, `unique_seconds` the title's own seconds, each once: they
    differ by speed and by what was seen again. Where the title stands follows
    from the last position that the source told, or from 0 at the opening.
    `net_watched_seconds` leaves out the time at which an earlier interval of the
    same user was still running, on another device.

    Sums are taken in whole microseconds, so that they are exact. Only continued
    plays need windows of their own.
-#}

with

events as (select * from {{ ref('int_events_bounded') }}),

events_again as (select * from {{ ref('int_events_bounded') }}),

events_once_more as (select * from {{ ref('int_events_bounded') }}),

classified as (select * from {{ ref('int_events_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

-- Only a title that stands has a length.
known_titles as (
    select
        content_key,
        duration_seconds
    from titles
    where row_verdict = 'canonical'
),

-- Where two titles of a user run at once, their times are compared.
overlapped_users as (
    select user_key
    from events
    where is_overlapped
    group by user_key
),

-- What followed the openings of plays, in those where anything did.
followed as (
    select
        user_key,
        play_number,
        count(*) filter (where is_playing or has_position) > 0 as has_more,
        count(*) filter (where playback_effect = 'pauses') as pause_count,
        count(*) filter (where playback_effect = 'skips') as skip_count
    from events
    where play_number <> event_number
    group by user_key, play_number
),

-- A play is continued when it has further intervals or tells of positions or
-- speeds, or when its user has two titles running at once.
openings as (
    select
        events_again.*,
        known_titles.duration_seconds,
        (
            events_again.has_position
            or coalesce(followed.has_more, false)
            or overlapped_users.user_key is not null
        ) as is_continued,
        coalesce(followed.pause_count, 0) as pause_count,
        coalesce(followed.skip_count, 0) as skip_count
    from events_again
    inner join known_titles
        on events_again.content_key = known_titles.content_key
    left join followed
        on
            events_again.user_key = followed.user_key
            and events_again.play_number = followed.play_number
    left join overlapped_users
        on events_again.user_key = overlapped_users.user_key
    where events_again.event_number = events_again.play_number
),

-- Few logs tell of positions or speeds.
positions as (
    select
        user_key,
        event_number,
        position_seconds,
        playback_speed
    from classified
    where
        event_number is not null
        and coalesce(position_seconds, playback_speed) is not null
),

-- Every event of a continued play, with what the source said of position and
-- speed, kept within sense. All of them are about the play's title.
told as (
    select
        events_once_more.*,
        openings.duration_seconds,
        case
            when positions.position_seconds is not null
                then least(
                    greatest(positions.position_seconds, 0),
                    openings.duration_seconds
                )
        end as position_seconds,
        case
            when positions.playback_speed > 0 then positions.playback_speed
        end as playback_speed
    from events_once_more
    inner join openings
        on
            events_once_more.user_key = openings.user_key
            and events_once_more.play_number = openings.play_number
    left join positions
        on
            events_once_more.user_key = positions.user_key
            and events_once_more.event_number = positions.event_number
    where openings.is_continued
),

-- A speed holds until another is told.
paced as (
    select
        *,
        row_number() over events_of_play as interval_number,
        coalesce({{ last_known('playback_speed', 'so_far') }}, 1) as speed
    from told
    window
        events_of_play as (
            partition by user_key, play_number
            order by event_number asc nulls last
        ),
        so_far as (
            partition by user_key, play_number
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

-- In whole microseconds, so that sums are exact.
opened as (
    select
        user_key,
        event_number,
        play_number,
        bound_code,
        is_playing,
        interval_number,
        speed,
        cast(round(bound_seconds * 1e6) as bigint) as bound_us,
        -- No interval runs for longer than the whole title.
        cast(
            round(
                least(bound_seconds, duration_seconds / nullif(speed, 0)) * 1e6
            ) as bigint
        ) as open_us,
        cast(round(duration_seconds * 1e6) as bigint) as duration_us,
        cast(
            round(
                coalesce(
                    position_seconds,
                    case when event_number = play_number then 0 end
                ) * 1e6
            ) as bigint
        ) as told_us,
        event_at
    from paced
),

-- How long the play had run before each interval.
run as (
    select
        *,
        coalesce(cast(sum(open_us) over earlier_intervals as bigint), 0)
            as open_before_us
    from opened
    window
        earlier_intervals as (
            partition by user_key, play_number
            order by interval_number asc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

-- No play is credited beyond the maximum, all intervals together.
capped as (
    select
        *,
        greatest(
            least(
                open_us,
                cast({{ var('maximum_play_seconds') }} * 1e6 as bigint)
                - open_before_us
            ),
            0
        ) as capped_us
    from run
),

-- Time of the clock as time of the title.
scaled as (
    select
        *,
        cast(round(speed * capped_us) as bigint) as content_us
    from capped
),

-- How far the title had moved before each interval.
moved as (
    select
        *,
        coalesce(cast(sum(content_us) over earlier_intervals as bigint), 0)
            as moved_before_us
    from scaled
    window
        earlier_intervals as (
            partition by user_key, play_number
            order by interval_number asc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

-- Where in the title the interval begins and ends.
placed as (
    select
        *,
        least(
            {{ last_known('told_us - moved_before_us', 'so_far') }}
            + moved_before_us,
            duration_us
        ) as from_us,
        least(
            {{ last_known('told_us - moved_before_us', 'so_far') }}
            + moved_before_us + content_us,
            duration_us
        ) as to_us
    from moved
    window
        so_far as (
            partition by user_key, play_number
            order by interval_number asc nulls last
            rows between unbounded preceding and current row
        )
),

-- How far the title had been seen by intervals that began earlier in it.
seen as (
    select
        *,
        max(to_us) over earlier_seconds as seen_until_us
    from placed
    window
        earlier_seconds as (
            partition by user_key, play_number
            order by
                from_us asc nulls last,
                to_us asc nulls last,
                interval_number asc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

-- Time that counts, and seconds of the title not seen before.
credited as (
    select
        *,
        -- Rounded at the title's end alone, where the title says how long.
        case
            when to_us - from_us = content_us then capped_us
            else cast(round((to_us - from_us) / nullif(speed, 0)) as bigint)
        end as running_us,
        greatest(to_us - greatest(from_us, coalesce(seen_until_us, from_us)), 0)
            as unique_us
    from seen
    where is_playing
),

-- Why the interval's time ended where it did.
ended as (
    select
        *,
        case
            when running_us = bound_us or bound_code = 'unknown'
                then bound_code
            when to_us = duration_us then 'title_end'
            else 'maximum'
        end as interval_close_code,
        {{ add_seconds('event_at', 'running_us / 1e6') }} as running_until_at
    from credited
),

-- Until when another device of the user was running.
shared as (
    select
        *,
        max(running_until_at) over earlier_intervals as covered_until_at
    from ended
    window
        earlier_intervals as (
            partition by user_key
            order by event_number asc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

-- The intervals of a play added up.
continued as (
    select
        user_key,
        play_number,
        {{ value_at_last('interval_close_code', 'interval_number') }}
            as close_reason_code,
        sum(running_us) as running_us,
        sum(unique_us) as unique_us,
        sum(
            case
                when covered_until_at > running_until_at then 0
                when covered_until_at > event_at
                    then round(1e6 * {{ seconds_between(
                        'covered_until_at', 'running_until_at'
                    ) }})
                else running_us
            end
        ) as net_us,
        max(running_until_at) as running_until_at
    from shared
    group by user_key, play_number
),

-- A play of one interval runs from 0 at normal speed.
plain as (
    select
        *,
        cast(round(least(bound_seconds, duration_seconds) * 1e6) as bigint)
            as running_us
    from openings
    where not is_continued
),

-- Plays of one interval and of several together.
plays as (
    select
        user_key,
        play_number,
        run_start_number,
        piece_number,
        content_key,
        device_key,
        case
            when bound_seconds > duration_seconds then 'title_end'
            else bound_code
        end as close_reason_code,
        duration_seconds,
        pause_count,
        skip_count,
        running_us,
        running_us as unique_us,
        running_us as net_us,
        event_date,
        event_at,
        running_us as elapsed_us
    from plain
    union all
    select
        openings.user_key,
        openings.play_number,
        openings.run_start_number,
        openings.piece_number,
        openings.content_key,
        openings.device_key,
        continued.close_reason_code,
        openings.duration_seconds,
        openings.pause_count,
        openings.skip_count,
        continued.running_us,
        continued.unique_us,
        continued.net_us,
        openings.event_date,
        openings.event_at,
        cast(
            round(
                1e6 * {{ seconds_between(
                    'openings.event_at', 'continued.running_until_at'
                ) }}
            ) as bigint
        ) as elapsed_us
    from openings
    inner join continued
        on
            openings.user_key = continued.user_key
            and openings.play_number = continued.play_number
),

-- Whether the title was completed decides whether a skip is one.
judged as (
    select
        *,
        coalesce(duration_seconds > 0, false) as has_duration,
        coalesce(
            case
                when duration_seconds > 0
                    then least(unique_us / 1e6 / duration_seconds, 1)
            end >= {{ var('complete_play_rate') }},
            false
        ) as is_completed
    from plays
),

final as (
    select
        -- keys
        user_key,
        play_number,
        run_start_number,
        piece_number,
        content_key,
        device_key,

        -- attributes
        close_reason_code,
        has_duration,
        running_us >= {{ var('valid_play_seconds') }} * 1e6 as is_valid_play,
        is_completed,
        skip_count > 0 and not is_completed as is_skipped,

        -- measures
        cast(pause_count as integer) as pause_count,
        cast(floor(running_us / 1e6) as bigint) as watched_seconds,
        cast(floor(net_us / 1e6) as bigint) as net_watched_seconds,
        {{ as_double('unique_us') }} / 1e6 as seen_seconds,
        {{ as_double('elapsed_us') }} / 1e6 as elapsed_seconds,

        -- times
        event_date as play_date,
        event_at as started_at
    from judged
)

select * from final
