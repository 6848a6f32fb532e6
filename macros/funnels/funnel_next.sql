{#-
    For `funnel`: the condition by which the numbered step is joined.

    In this order, a step is the first event of its name that comes after the
    step before: the earliest choice, and so never a worse one. In any order it
    is the first that comes after the entry, for a repeated name the second and
    so on; the entry is itself the first of its own name. In strict order it is
    the event in the next position.

    Under `together` simultaneous events stand in whichever order serves the
    attempt, so an instant offers as many events of a name as it holds, less
    those that earlier steps have taken.

    Every comparison sets one side of the join against the other, or looks at
    the step alone: anything else would compare everything with everything.
-#}
{% macro funnel_next(steps, number, order, ties) -%}
    {%- set name = steps[number - 1] -%}
    {%- set k = (steps | unique(true) | list).index(name) + 1 -%}
    {%- set step = 'step_' ~ number -%}
    {%- set before = 'entry' if number == 2 else 'step_' ~ (number - 1) -%}
    {%- set taken -%}
        {%- for other in steps[:number - 1] -%}
            {%- if other == name %}
            + case
                when
                    {% if order == 'strict' -%}
                    {{ step }}.tied_number > {{ number - loop.index }}
                    {%- else -%}
                    {{ 'entry' if loop.first else 'step_' ~ loop.index -}}
                    .event_at = {{ before }}.event_at
                    {%- endif %}
                    then 1
                else 0
            end
            {%- endif -%}
        {%- endfor -%}
    {%- endset -%}
    {%- if order == 'strict' and ties == 'together' -%}
        {{ step }}.position = {{ before }}.position + 1
            and {{ step }}.tied_{{ k }}_count > 0{{ taken }}
    {%- elif order == 'strict' and ties == 'apart' -%}
        {{ step }}.position
            = 1 + case
                when {{ before }}.tied_count = 1 then {{ before }}.position
            end
            and {{ step }}.event_name = '{{ name }}'
            and {{ step }}.tied_count = 1
    {%- elif order == 'strict' -%}
        {{ step }}.position = {{ before }}.position + 1
            and {{ step }}.event_name = '{{ name }}'
    {%- elif order == 'any' -%}
        {{ step }}.event_name = '{{ name }}'
            and {{ step }}.occurrence_number
            = entry.passed_{{ k }}_count + {{ steps[:number].count(name) }}
            {%- if ties != 'together' %}
            - case when entry.event_name = '{{ name }}' then 1 else 0 end
            {%- endif %}
    {%- else -%}
        {{ step }}.event_name = '{{ name }}'
            and {{ step }}.occurrence_number
            = {{ before }}.passed_{{ k }}_count + 1
            {{- taken if ties == 'together' }}
    {%- endif -%}
{%- endmacro %}
