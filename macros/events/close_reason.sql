{#-
    The code by which `close_reason_code` names an effect that ended an interval
    of a play, whatever the log calls the event that had it.

    {{ close_reason('next_effect') }}
    pauses, beats  ->  pause, heartbeat
-#}
{% macro close_reason(effect) -%}
    case {{ effect }}
        when 'pauses' then 'pause'
        when 'skips' then 'skip'
        when 'stops' then 'stop'
        when 'seeks' then 'seek'
        when 'beats' then 'heartbeat'
    end
{%- endmacro %}
