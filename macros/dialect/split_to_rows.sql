{#-
    In a select list: one row for each part of a separated text; no row for a
    null.

    {{ split_to_rows('genre', '|') }}
    'Crime|Drama'  ->  'Crime', 'Drama'
-#}
{% macro split_to_rows(text_column, separator) -%}
    {{ adapter.dispatch('split_to_rows', 'streaming_engagement')(
        text_column, separator
    ) }}
{%- endmacro %}

{% macro duckdb__split_to_rows(text_column, separator) -%}
    unnest(string_split({{ text_column }}, '{{ separator }}'))
{%- endmacro %}

{% macro spark__split_to_rows(text_column, separator) -%}
    explode(split({{ text_column }}, '\\Q{{ separator }}\\E'))
{%- endmacro %}
