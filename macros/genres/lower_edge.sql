{#-
    The lower edge of the band that a number lies in; numbers below the first
    edge share its band.

    {{ lower_edge('valid_play_count', [1, 2, 5]) }}
    4  ->  2
-#}
{% macro lower_edge(value, edges) -%}
    case
        {%- for edge in (edges | sort)[1:] | reverse %}
            when {{ value }} >= {{ edge }} then {{ edge }}
        {%- endfor %}
        else {{ edges | min }}
    end
{%- endmacro %}
