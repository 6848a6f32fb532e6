{#-
    As an aggregate: texts in the order of a key, with a control character
    between them that no text of a log holds. Null for no row.

    {{ joined_text('dimension_value', 'dimension') }}
    (b, web), (a, PL)  ->  PL, web
-#}
{% macro joined_text(text_column, key_column) -%}
    {{ adapter.dispatch('joined_text', 'streaming_engagement')(
        text_column, key_column
    ) }}
{%- endmacro %}

{% macro duckdb__joined_text(text_column, key_column) -%}
    string_agg({{ text_column }}, chr(31) order by {{ key_column }})
{%- endmacro %}

{% macro spark__joined_text(text_column, key_column) -%}
    array_join(
        transform(
            array_sort(
                collect_list(struct({{ key_column }}, {{ text_column }}))
            ),
            pair -> pair.{{ text_column }}
        ),
        chr(31)
    )
{%- endmacro %}

{#- By bytes, as the other engines compare, whatever the database's locale. -#}
{% macro postgres__joined_text(text_column, key_column) -%}
    string_agg({{ text_column }}, chr(31) order by {{ key_column }} collate "C")
{%- endmacro %}
