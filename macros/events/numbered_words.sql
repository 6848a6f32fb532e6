{#-
    The words that events carry through the windows as whole numbers: a word
    costs a sort more than its number does. A word's number is its place here,
    counted from 0. What ends an interval is numbered like the effect that does
    it, so that the one is the other; `-` stands for an effect that ends none.

    {{ numbered_words('closing_type').split()[7] }}  ->  ended
-#}
{% macro numbered_words(column_name) -%}
    {{ {
        'playback_effect': 'none plays pauses skips stops seeks beats',
        'closing_type': '- - pause skip stop seek heartbeat ended next_play',
    }[column_name] }}
{%- endmacro %}
