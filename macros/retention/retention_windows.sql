{#-
    A query for the windows of day numbers in which retention is asked for, one
    per row: retention_type, from_day_number, to_day_number, ends included.

    on_day       each of `retention_days`, and `genre_outcome_day`
    bracket      each of `retention_brackets`
    on_or_after  from each of `retention_days` to `retention_fixed_days`
-#}
{% macro retention_windows() -%}
    {%- set last = var('retention_fixed_days') -%}
    {%- set windows = [] -%}
    {%- for day in (var('retention_days') + [var('genre_outcome_day')])
        | unique | sort -%}
        {%- do windows.append(('on_day', day, day)) -%}
    {%- endfor -%}
    {%- for bracket in var('retention_brackets') | sort -%}
        {%- if bracket | length != 2 or bracket[0] > bracket[1] -%}
            {{ exceptions.raise_compiler_error(
                "retention_brackets holds " ~ bracket ~ ". Write its first "
                ~ "and its last day number, as in [1, 7]."
            ) }}
        {%- endif -%}
        {%- set window = ('bracket', bracket[0], bracket[1]) -%}
        {%- if window not in windows -%}
            {%- do windows.append(window) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for day in var('retention_days') | unique | sort if day < last -%}
        {%- do windows.append(('on_or_after', day, last)) -%}
    {%- endfor -%}
    {%- for retention_type, first, last in windows -%}
        select
            '{{ retention_type }}' as retention_type,
            cast({{ first }} as integer) as from_day_number,
            cast({{ last }} as integer) as to_day_number
        {{- ' union all ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
