{#-
    A query for how far each unit comes in a funnel: one row per unit that
    entered it, with unit_id, state_name, is_mature, reached_step_count and
    step_1_at to step_n_at. docs/funnels.md says what the modes mean.

    attempts as (
        {{ funnel(
            events='plays', watermark='bounds', steps=['start', 'finish'],
            window_seconds=86400
        ) }}
    )

    Every occurrence of the first step opens an attempt; the unit's row is its
    furthest attempt, the earliest among equals. An attempt is walked by one
    join per step, on equality: nothing is compared with everything.
-#}
{% macro funnel(
    events, watermark, steps, order='this_order', ties='ordered',
    window_seconds=none, exclusions=[], closed_units=none
) -%}
    {{- funnel_refusals(steps, order, ties, window_seconds, exclusions) -}}
    {%- set end_of_log = local_midnight(
        add_days('loaded_through.watermark_date', 1)
    ) -%}
    with

    loaded as (
        -- An event that is written twice is one event.
        select distinct
            stream.unit_id,
            stream.event_name,
            stream.event_at,
            stream.event_id,
            {{ end_of_log }} as end_of_log_at
        from {{ events }} as stream
        cross join {{ watermark }} as loaded_through
        where
            stream.event_at < {{ end_of_log }}
            {%- if order != 'strict' %}
            and stream.event_name in (
                '{{ (steps + exclusions) | join("', '") }}'
            )
            {%- endif %}
    ),

    numbered as (
        {{ funnel_numbers(steps, order, ties, exclusions) | indent(4) }}
    ),

    walked as (
        {{ funnel_walks(
            steps, order, ties, window_seconds, exclusions
        ) | indent(4) }}
    ),

    counted as (
        select
            walked.*,
            {% for step in steps -%}
            case when step_{{ loop.index }}_at is null then 0 else 1 end
            {{- ' +' if not loop.last }}
            {% endfor -%}
            as reached_step_count,
            {% if window_seconds is not none -%}
            {{ seconds_between('entered_at', 'end_of_log_at') }}
            <= {{ window_seconds }}
            {%- else -%}
            true
            {%- endif %}
            {{- ' and closed_units.unit_id is null' if closed_units }}
                as has_time
        from walked
        {%- if closed_units %}
        left join {{ closed_units }} as closed_units
            on walked.unit_id = closed_units.unit_id
        {%- endif %}
    ),

    ranked as (
        select
            *,
            bool_or(has_time) over attempts_of_unit as may_change,
            bool_or(
                has_time
                {%- if order == 'strict' %}
                and entry_position + reached_step_count - 1 = last_position
                {{- ' and entry_tied_count = 1' if ties == 'apart' }}
                {%- elif exclusions %}
                and not is_excluded
                {%- endif %}
            ) over attempts_of_unit as may_convert,
            row_number() over (
                partition by unit_id
                order by
                    reached_step_count desc nulls last,
                    entered_at asc nulls last,
                    entry_id asc nulls last
            ) as attempt_rank
        from counted
        window attempts_of_unit as (partition by unit_id)
    )

    select
        unit_id,
        case
            when reached_step_count = {{ steps | length }} then 'converted'
            when may_convert then 'pending'
            else 'dropped'
        end as state_name,
        not may_change as is_mature,
        cast(reached_step_count as integer) as reached_step_count,
        {% for step in steps -%}
        step_{{ loop.index }}_at{{ ',' if not loop.last }}
        {% endfor -%}
    from ranked
    where attempt_rank = 1
{%- endmacro %}
