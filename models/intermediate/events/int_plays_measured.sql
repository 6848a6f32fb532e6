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

intervals as (select * from {{ ref('int_playback_intervals_bounded') }}),

intervals_again as (select * from {{ ref('int_playback_intervals_bounded') }}),

events as (select * from {{ ref('int_events_sessionized') }}),

classified as (select * from {{ ref('int_events_classified') }}),

-- A play of one interval runs from 0 at normal speed.
plain as (
    select
        play_id,
        session_id,
        user_id,
        content_id,
        device_type,
        case
            when bound_seconds > duration_seconds then 'title_end'
            else bound_code
        end as close_reason_code,
        duration_seconds,
        cast(round(least(bound_seconds, duration_seconds) * 1e6) as bigint)
            as running_us,
        event_date,
        event_at
    from intervals
    where
        is_playing
        and not is_continued
),

-- What the source said of position and speed, kept within sense.
told as (
    select
        intervals_again.*,
        case
            when classified.position_seconds is not null
                then least(
                    greatest(classified.position_seconds, 0),
                    intervals_again.duration_seconds
                )
        end as position_seconds,
        case
            when classified.playback_speed > 0 then classified.playback_speed
        end as playback_speed
    from intervals_again
    inner join classified
        on intervals_again.event_id = classified.event_id
    where
        intervals_again.is_continued
        and classified.row_verdict = 'canonical'
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
            partition by play_id
            order by event_number asc nulls last
        ),
        so_far as (
            partition by play_id
            order by event_number asc nulls last
            rows between unbounded preceding and current row
        )
),

-- In whole microseconds, so that sums are exact.
opened as (
    select
        event_id,
        play_id,
        session_id,
        user_id,
        content_id,
        device_type,
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
                    position_seconds, case when event_id = play_id then 0 end
                ) * 1e6
            ) as bigint
        ) as told_us,
        event_date,
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
            partition by play_id
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
            partition by play_id
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
            partition by play_id
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
            partition by play_id
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
            partition by user_id
            order by event_at asc nulls last, event_id asc nulls last
            rows between unbounded preceding and 1 preceding
        )
),

-- The intervals of a play added up.
continued as (
    select
        play_id,
        max(case when event_id = play_id then session_id end) as session_id,
        max(user_id) as user_id,
        max(content_id) as content_id,
        max(case when event_id = play_id then device_type end) as device_type,
        {{ value_at_last('interval_close_code', 'interval_number') }}
            as close_reason_code,
        max(duration_us) / 1e6 as duration_seconds,
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
        max(case when event_id = play_id then event_date end) as event_date,
        min(event_at) as event_at,
        max(running_until_at) as ended_at
    from shared
    group by play_id
),

-- Plays of one interval and of several together.
plays as (
    select
        play_id,
        session_id,
        user_id,
        content_id,
        device_type,
        close_reason_code,
        duration_seconds,
        running_us,
        running_us as unique_us,
        running_us as net_us,
        event_date,
        event_at,
        {{ add_seconds('event_at', 'running_us / 1e6') }} as ended_at
    from plain
    union all
    select
        play_id,
        session_id,
        user_id,
        content_id,
        device_type,
        close_reason_code,
        duration_seconds,
        running_us,
        unique_us,
        net_us,
        event_date,
        event_at,
        ended_at
    from continued
),

-- Pauses and skips, which have no time of their own.
followed as (
    select
        play_id,
        count(*) filter (where playback_effect = 'pauses') as pause_count,
        count(*) filter (where playback_effect = 'skips') as skip_count
    from events
    where
        play_id is not null
        and playback_effect in ('pauses', 'skips')
    group by play_id
),

-- Each play with what followed it, and the share of its title seen.
counted as (
    select
        plays.*,
        coalesce(followed.skip_count, 0) > 0 as has_skip,
        coalesce(followed.pause_count, 0) as pause_count,
        case
            when plays.duration_seconds > 0
                then least(plays.unique_us / 1e6 / plays.duration_seconds, 1)
        end as completion_rate
    from plays
    left join followed
        on plays.play_id = followed.play_id
),

-- Whether the title was completed decides whether a skip is one.
judged as (
    select
        *,
        coalesce(completion_rate >= {{ var('complete_play_rate') }}, false)
            as is_completed
    from counted
),

final as (
    select
        -- keys
        play_id,
        session_id,
        user_id,
        content_id,

        -- attributes
        device_type,
        close_reason_code,
        running_us >= {{ var('valid_play_seconds') }} * 1e6 as is_valid_play,
        is_completed,
        has_skip and not is_completed as is_skipped,

        -- measures
        cast(pause_count as integer) as pause_count,
        cast(floor(running_us / 1e6) as bigint) as watched_seconds,
        cast(floor(net_us / 1e6) as bigint) as net_watched_seconds,
        cast(floor(unique_us / 1e6) as bigint) as unique_seconds,
        completion_rate,

        -- times
        event_date as play_date,
        event_at as started_at,
        ended_at
    from judged
)

select * from final
