{#-
    The id of a session: that of the event which begins its run, and for the
    further pieces of a run that is cut their number.

    {{ session_id('event_id', 'piece_number') }}
    ('e7', 0), ('e7', 1)  ->  'e7', 'e7:1'
-#}
{% macro session_id(run_id, piece_number) -%}
    case
        when {{ piece_number }} = 0 then {{ run_id }}
        else
            {{ run_id }} || ':'
            || cast({{ piece_number }} as {{ data_type('varchar') }})
    end
{%- endmacro %}
