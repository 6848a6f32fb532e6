{{ config(materialized='view') }}

{#-
    Grain: one row per play, dimension of plays or titles, and value that the
    play has of it, as the log has it.

    A play has the values of its title only if it is a valid one.
-#}

with

measured as (select * from {{ ref('int_plays_measured') }}),

names as (select * from {{ ref('int_names_keyed') }}),

titles as (select * from {{ ref('int_titles_described') }}),

-- Dimensions of plays are columns of these.
plays as (
    select
        measured.*,
        names.name as device_type
    from measured
    left join names
        on measured.device_key = names.name_key
),

final as (
    {% for dimension in var('dimensions') if dimension.unit == 'play' -%}
        select
            user_key,
            play_number,
            run_start_number,
            piece_number,
            '{{ dimension.name }}' as dimension,
            coalesce(
                cast({{ dimension.column }} as {{ data_type('varchar') }}),
                'unknown'
            ) as dimension_value
        from plays
        union all
    {% endfor -%}
    select
        plays.user_key,
        plays.play_number,
        plays.run_start_number,
        plays.piece_number,
        titles.dimension,
        titles.dimension_value
    from plays
    inner join titles
        on plays.content_key = titles.content_key
    where plays.is_valid_play
)

select * from final
