{#-
    The first day of the day, week or month that a date lies in. Weeks begin on
    `week_start_day`.

    {{ period_start('activity_date', 'week') }}, week_start_day sunday
    2026-01-07  ->  2026-01-04
-#}
{% macro period_start(day, period) -%}
    {%- if period == 'day' -%}
        cast({{ day }} as date)
    {%- elif period == 'month' -%}
        cast(date_trunc('month', {{ day }}) as date)
    {%- elif period == 'week' -%}
        {%- set names = [
            'monday', 'tuesday', 'wednesday', 'thursday', 'friday',
            'saturday', 'sunday',
        ] -%}
        {%- if var('week_start_day') not in names -%}
            {{ exceptions.raise_compiler_error(
                "week_start_day is '" ~ var('week_start_day')
                ~ "'. Write one of: " ~ names | join(', ') ~ "."
            ) }}
        {%- endif -%}
        {#- Engines agree on weeks from Monday: shift there and back. -#}
        {%- set shift = (7 - names.index(var('week_start_day'))) % 7 -%}
        {%- if shift == 0 -%}
            cast(date_trunc('week', {{ day }}) as date)
        {%- else -%}
            {{ add_days(
                "cast(date_trunc('week', " ~ add_days(day, shift)
                ~ ") as date)",
                -shift
            ) }}
        {%- endif -%}
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "There is no period '" ~ period ~ "': write day, week or month."
        ) }}
    {%- endif -%}
{%- endmacro %}
