{#-
    The words again that number_of_word made numbers of.

    {{ word_of_number('playback_effect', 'effect') }}
    2, 0  ->  pauses, none
-#}
{% macro word_of_number(column_name, number) -%}
    case {{ number }}
        {%- for word in numbered_words(column_name).split() if word != '-' %}
        when {{ word_number(column_name, word) }} then '{{ word }}'
        {%- endfor %}
    end
{%- endmacro %}
