{#-
    For `funnel`: refuse what it cannot mean, by name and value. Renders to
    nothing.
-#}
{% macro funnel_refusals(steps, order, ties, window_seconds, exclusions) -%}
    {%- set mistakes = [] -%}
    {%- if steps is string or steps is not sequence
        or not 2 <= steps | length <= 10 -%}
        {%- do mistakes.append(
            'steps is ' ~ steps ~ '. Write a list of 2 to 10 event names.'
        ) -%}
    {%- endif -%}
    {%- for name in steps if "'" in name -%}
        {%- do mistakes.append(
            "steps has '" ~ name ~ "'. Names hold no quotes."
        ) -%}
    {%- endfor -%}
    {%- if order not in ['this_order', 'strict', 'any'] -%}
        {%- do mistakes.append(
            "order is '" ~ order ~ "'. Write one of: this_order, strict, any."
        ) -%}
    {%- endif -%}
    {%- if ties not in ['ordered', 'apart', 'together'] -%}
        {%- do mistakes.append(
            "ties is '" ~ ties ~ "'. Write one of: ordered, apart, together."
        ) -%}
    {%- endif -%}
    {%- if window_seconds is not none
        and (window_seconds is not number or window_seconds <= 0) -%}
        {%- do mistakes.append(
            'window_seconds is ' ~ window_seconds
            ~ '. Write a number above 0, or none for no limit.'
        ) -%}
    {%- endif -%}
    {%- if exclusions is string or exclusions is not sequence -%}
        {%- do mistakes.append(
            'exclusions is ' ~ exclusions ~ '. Write a list of event names.'
        ) -%}
    {%- else -%}
        {%- for name in exclusions if name in steps -%}
            {%- do mistakes.append(
                "exclusions has '" ~ name ~ "', which is a step. A step cannot"
                ~ ' end the attempt that it advances.'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if mistakes -%}
        {{ exceptions.raise_compiler_error(
            'A funnel cannot be built: ' ~ mistakes | join(' ')
        ) }}
    {%- endif -%}
{%- endmacro %}
