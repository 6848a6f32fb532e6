{#-
    For `funnel`: the loaded events, each with the numbers by which an attempt
    is walked. Names are counted as k = 1, 2, ... in order of first mention.

    In strict order: the position in the unit's stream and in its instant, and
    how many events, in all and of each name, share the instant. Otherwise: the
    number among the unit's events of the same name, how many of each name are
    passed (do not come after this event), and how many exclusions are passed
    when the event is the entry, or lie before it when it is a later step.

    Of simultaneous events, `ordered` passes those of lower id. Under `together`
    each may come after the other, so none is passed; under `apart` neither
    does, so all are.
-#}
{% macro funnel_numbers(steps, order, ties, exclusions) -%}
    {%- set excluded = funnel_count(exclusions) -%}
    select
        *,
        {% if order == 'strict' -%}
        {% for name in steps | unique(true) -%}
        {{ funnel_count([name]) }} over tied as tied_{{ loop.index }}_count,
        {% endfor -%}
        count(*) over tied as tied_count,
        row_number() over (
            partition by unit_id, event_at
            order by event_id asc nulls last
        ) as tied_number,
        count(*) over whole as last_position,
        row_number() over (
            partition by unit_id
            order by event_at asc nulls last, event_id asc nulls last
        ) as position
        {%- else -%}
        {% for name in steps | unique(true) -%}
        ({{ funnel_count([name]) }} over so_far)
        {{- ' - (' ~ funnel_count([name]) ~ ' over tied)'
            if ties == 'together' }}
            as passed_{{ loop.index }}_count,
        {% endfor -%}
        {% if exclusions -%}
        {{ excluded }} over whole as exclusion_count,
        ({{ excluded }} over so_far)
        {{- ' - (' ~ excluded ~ ' over tied)' if ties == 'apart' }}
            as exclusions_at_entry,
        ({{ excluded }} over so_far)
        {{- ' - (' ~ excluded ~ ' over tied)' if ties == 'together' }}
            as exclusions_at_step,
        {% endif -%}
        row_number() over (
            partition by unit_id, event_name
            order by event_at asc nulls last, event_id asc nulls last
        ) as occurrence_number
        {%- endif %}
    from loaded
    window
        whole as (partition by unit_id),
        tied as (partition by unit_id, event_at),
        {#- Without a frame, what is equal in this order is counted as well. #}
        so_far as (
            partition by unit_id
            order by
                event_at asc nulls last
                {{- ', event_id asc nulls last' if ties == 'ordered' }}
        )
{%- endmacro %}
