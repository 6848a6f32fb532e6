{#-
    The number of one word of numbered_words.

    effect = {{ word_number('playback_effect', 'pauses') }}  ->  effect = 2
-#}
{% macro word_number(column_name, word) -%}
    {{ numbered_words(column_name).split().index(word) }}
{%- endmacro %}
