{#-
    For `dimension_refusals`: what is wrong with one dimension, a line each.
-#}
{% macro dimension_mistakes(dimension, dimensions) -%}
    {%- set units = ['user', 'new_user', 'play', 'title'] -%}
    {%- set needed = ['name', 'unit', 'column'] -%}
    {%- set known = needed + ['label', 'settled', 'bounded', 'pairs'] -%}
    {%- set name = dimension.get('name') | string -%}
    {%- set plain = name | replace('_', '') -%}
    {%- set lines = [] -%}
    {%- for field in needed if not dimension.get(field) -%}
        {%- do lines.append(
            "'" ~ name ~ "' has no " ~ field ~ '. Give it one.'
        ) -%}
    {%- endfor -%}
    {%- for field in dimension if field not in known -%}
        {%- do lines.append(
            "'" ~ name ~ "' has " ~ field ~ '. Write some of: '
            ~ known | join(', ') ~ '.'
        ) -%}
    {%- endfor -%}
    {%- if name != name | lower or not plain.isalnum() -%}
        {%- do lines.append(
            "'" ~ name ~ "' is no name. Use lower-case letters, digits and _;"
            ~ ' ` x ` joins the names of a pair.'
        ) -%}
    {%- endif -%}
    {%- if name in ['all', 'assigned_date'] -%}
        {%- do lines.append(
            "'" ~ name ~ "' has a meaning of its own. Choose another name."
        ) -%}
    {%- endif -%}
    {%- for field in ['label', 'column'] if "'" in dimension.get(field) | string -%}
        {%- do lines.append(
            "'" ~ name ~ "' has a quote in its " ~ field ~ '. Leave it out.'
        ) -%}
    {%- endfor -%}
    {%- if dimension.get('unit') not in units -%}
        {%- do lines.append(
            "'" ~ name ~ "' is of the unit '" ~ dimension.get('unit')
            ~ "'. Write one of: " ~ units | join(', ') ~ '.'
        ) -%}
    {%- endif -%}
    {%- for field in ['settled', 'bounded'] -%}
        {%- if dimension.get(field, true) is not boolean -%}
            {%- do lines.append(
                "'" ~ name ~ "' has " ~ field ~ ': ' ~ dimension.get(field)
                ~ '. Write true or false.'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if dimension.get('settled') and dimension.get('unit') != 'user' -%}
        {%- do lines.append(
            "'" ~ name ~ "' is settled before a test can treat anybody, but of"
            ~ " the unit '" ~ dimension.get('unit') ~ "'. Only users are."
        ) -%}
    {%- endif -%}
    {%- set pairs = dimension.get('pairs', []) -%}
    {%- if pairs is string or pairs is mapping or pairs is not sequence -%}
        {%- do lines.append(
            "'" ~ name ~ "' has pairs: " ~ pairs ~ '. Write a list of names.'
        ) -%}
        {%- set pairs = [] -%}
    {%- endif -%}
    {%- for pair in pairs -%}
        {%- set other = dimensions | selectattr('name', 'equalto', pair)
            | first -%}
        {%- if not other or pair == name -%}
            {%- do lines.append(
                "'" ~ name ~ "' has a pair '" ~ pair ~ "', which is no other"
                ~ ' dimension. Declare it or leave it out.'
            ) -%}
        {%- elif dimension.get('unit') in units[2:] and other.get('unit') in units[2:] -%}
            {%- do lines.append(
                "'" ~ name ~ "' has a pair '" ~ pair ~ "', and a session may"
                ~ ' hold the two in different plays. Pair each with one of'
                ~ ' users.'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- lines | join('\n') -}}
{%- endmacro %}
