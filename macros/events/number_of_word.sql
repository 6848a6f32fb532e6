{#-
    A column's words as their numbers, of numbered_words.

    {{ number_of_word('playback_effect') }}
    pauses, none  ->  2, 0
-#}
{% macro number_of_word(column_name) -%}
    case {{ column_name }}
        {%- for word in numbered_words(column_name).split() if word != '-' %}
        when '{{ word }}' then {{ word_number(column_name, word) }}
        {%- endfor %}
    end
{%- endmacro %}
