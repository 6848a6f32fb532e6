{#-
    Refuse dimensions that cannot be meant, by name and value. Renders to
    nothing.

    {{ dimension_refusals(var('dimensions')) }}
-#}
{% macro dimension_refusals(dimensions) -%}
    {%- set mistakes = [] -%}
    {%- if dimensions is string or dimensions is mapping
        or dimensions is not sequence or not dimensions
        or dimensions | select('mapping') | list | length
        < dimensions | length -%}
        {%- do mistakes.append(
            'dimensions is ' ~ dimensions ~ '. Write a list, one line each:'
            ~ ' { name: platform, label: Platform, unit: user, column:'
            ~ ' platform }.'
        ) -%}
    {%- else -%}
        {%- set names = [] -%}
        {%- for dimension in dimensions -%}
            {%- do mistakes.extend(
                dimension_mistakes(dimension, dimensions).split('\n') | select
            ) -%}
            {%- do mistakes.extend(
                [dimension_column_mistake(dimension)] | select
            ) -%}
            {%- if dimension.get('name') in names -%}
                {%- do mistakes.append(
                    "'" ~ dimension.name ~ "' is declared twice."
                ) -%}
            {%- endif -%}
            {%- do names.append(dimension.get('name')) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if mistakes -%}
        {{ exceptions.raise_compiler_error(
            'The variable `dimensions` cannot be read: '
            ~ mistakes | join(' ')
        ) }}
    {%- endif -%}
{%- endmacro %}
