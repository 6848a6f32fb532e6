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

{#- `string_to_array` makes no row of an empty text. -#}
{% macro postgres__split_to_rows(text_column, separator) -%}
    regexp_split_to_table({{ text_column }}, '***={{ separator }}')
{%- endmacro %}
