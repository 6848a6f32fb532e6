{#-
    Grain: one row per dimension, value and band of session length.

    A band begins at its lower edge and ends before the next one's; the last has
    no end. Every session is in exactly one, and a band without any has a row.
-#}

{%- set edges = var('session_band_seconds') -%}
{%- set seconds, unit = (
    (1, 's') if edges | map('int') | reject('divisibleby', 60) | list
    else (60, 'min')
) %}

with

length_counts as (select * from {{ ref('fct_session_length_counts') }}),

bands as (
    {% for edge in edges -%}
        {%- set next_edge = none if loop.last else edges[loop.index] -%}
        select
            {{ loop.index }} as band_number,
            '{{ edge // seconds }}
            {{- '+' if loop.last else '-' ~ next_edge // seconds }} {{ unit }}'
                as band_name,
            {{ edge }} as from_seconds,
            {{ 'null' if loop.last else next_edge }} as to_seconds
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

breakdowns as (
    select
        dimension,
        dimension_value,
        sum(session_count) as sessions_in_all
    from length_counts
    group by dimension, dimension_value
),

counted as (
    select
        breakdowns.dimension,
        breakdowns.dimension_value,
        breakdowns.sessions_in_all,
        bands.band_number,
        bands.band_name,
        bands.from_seconds,
        bands.to_seconds,
        coalesce(sum(length_counts.session_count), 0) as session_count
    from breakdowns
    cross join bands
    left join length_counts
        on
            breakdowns.dimension = length_counts.dimension
            and breakdowns.dimension_value = length_counts.dimension_value
            and bands.from_seconds <= length_counts.length_seconds
            and coalesce(bands.to_seconds > length_counts.length_seconds, true)
    group by
        breakdowns.dimension,
        breakdowns.dimension_value,
        breakdowns.sessions_in_all,
        bands.band_number,
        bands.band_name,
        bands.from_seconds,
        bands.to_seconds
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,
        band_name,

        -- measures
        band_number,
        cast(session_count as integer) as session_count,
        {{ rate('session_count', 'sessions_in_all') }} as session_rate,
        cast(from_seconds as bigint) as from_seconds,
        cast(to_seconds as bigint) as to_seconds
    from counted
)

select * from final
