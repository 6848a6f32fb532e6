{#-
    For `funnel`: one row per attempt, with the instants of the steps that it
    reaches within its window and before an exclusion.
-#}
{% macro funnel_walks(steps, order, ties, window_seconds, exclusions) -%}
    {#- In any order the entry is one of the steps, but which is not known. -#}
    {%- set joined_from = 1 if order == 'any' else 2 -%}
    select
        entry.unit_id,
        entry.event_id as entry_id,
        entry.event_at as entered_at,
        entry.end_of_log_at,
        {% if order == 'strict' -%}
        entry.position as entry_position,
        entry.last_position,
        entry.tied_count as entry_tied_count,
        {% elif exclusions -%}
        entry.exclusion_count > entry.exclusions_at_entry as is_excluded,
        {% endif -%}
        {{ 'entry.event_at as step_1_at,' if joined_from == 2 }}
        {% for number in range(joined_from, steps | length + 1) -%}
        {%- set step = 'step_' ~ number -%}
        {%- set name = steps[number - 1] -%}
        case
            when
                {{ step }}.event_at is not null
                {%- if window_seconds is not none %}
                and {{ seconds_between('entry.event_at', step ~ '.event_at') }}
                <= {{ window_seconds }}
                {%- endif %}
                {%- if exclusions and order != 'strict' %}
                and (
                    {{ step }}.exclusions_at_step <= entry.exclusions_at_entry
                    {%- if order == 'any' and name not in steps[:number - 1] %}
                    or entry.event_name = '{{ name }}'
                    {%- endif %}
                )
                {%- endif %}
                then {{ step }}.event_at
        end as {{ step }}_at{{ ',' if not loop.last }}
        {% endfor -%}
    from numbered as entry
    {% for number in range(joined_from, steps | length + 1) -%}
    left join numbered as step_{{ number }}
        on
            entry.unit_id = step_{{ number }}.unit_id
            and {{ funnel_next(steps, number, order, ties) }}
    {% endfor -%}
    where
        {% if order == 'strict' and ties == 'together' -%}
        entry.tied_1_count > 0
        {%- else -%}
        entry.event_name in (
            '{{ (steps if order == "any" else steps[:1]) | join("', '") }}'
        )
        {%- endif %}
{%- endmacro %}
