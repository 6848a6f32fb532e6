{#-
    For `dimension_refusals`: that no model of a dimension's unit has its column,
    or nothing. It is known once the project is parsed; an expression is left to
    the engine.
-#}
{% macro dimension_column_mistake(dimension) -%}
    {%- set column = dimension.get('column') | string -%}
    {%- set models = dict(
        user=['int_users_started'],
        new_user=['int_users_started'],
        play=['int_plays_measured'],
        title=['int_titles_classified', 'int_titles_tagged'],
    ).get(dimension.get('unit'), []) -%}
    {%- if execute and models and column.replace('_', '').isalnum() -%}
        {%- set columns = [] -%}
        {%- for node in graph.get('nodes', {}).values()
            if node.name in models -%}
            {%- do columns.extend(node.columns) -%}
        {%- endfor -%}
        {%- if columns and dimension.unit == 'play' -%}
            {%- do columns.append('device_type') -%}
        {%- endif -%}
        {%- if columns and column | lower not in columns -%}
            {{- "'" ~ dimension.get('name') ~ "' has the column " ~ column
                ~ ', and there is none in ' ~ models | join(' or ')
                ~ '. Write one of: ' ~ columns | unique | join(', ') ~ '.' -}}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
