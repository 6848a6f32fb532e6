{{ config(materialized='view') }}

{#-
    Grain: one row per play, dimension of plays or titles, and value that the
    play has of it, as the log has it.

    A play has the values of its title only if it is a valid one, and as many as
    the title has; a title without any has none.
-#}

with

plays as (select * from {{ ref('int_plays_measured') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

tagged_titles as (
    select
        titles.*,
        tags.genre_name
    from titles
    left join tags
        on titles.content_id = tags.content_id
    where titles.row_verdict = 'canonical'
),

-- Titles of one language have it once, however many their genres.
title_values as (
    {% for dimension in var('dimensions') if dimension.unit == 'title' -%}
        select distinct
            content_id,
            '{{ dimension.name }}' as dimension,
            cast({{ dimension.column }} as {{ data_type('varchar') }})
                as dimension_value
        from tagged_titles
        where {{ dimension.column }} is not null
        {{ 'union all' if not loop.last }}
    {% else -%}
        select
            content_id,
            title as dimension,
            title as dimension_value
        from tagged_titles
        where false
    {% endfor %}
),

final as (
    {% for dimension in var('dimensions') if dimension.unit == 'play' -%}
        select
            play_id,
            session_id,
            user_id,
            '{{ dimension.name }}' as dimension,
            coalesce(
                cast({{ dimension.column }} as {{ data_type('varchar') }}),
                'unknown'
            ) as dimension_value
        from plays
        union all
    {% endfor -%}
    select
        plays.play_id,
        plays.session_id,
        plays.user_id,
        title_values.dimension,
        title_values.dimension_value
    from plays
    inner join title_values
        on plays.content_id = title_values.content_id
    where plays.is_valid_play
)

select * from final
