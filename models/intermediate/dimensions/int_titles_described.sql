{#-
    Grain: one row per title, dimension of titles, and value that the title has
    of it, as the log has it.

    A title has as many values as its tags say; without any it has none, and of
    one language it has it once, however many its genres.
-#}

with

titles as (select * from {{ ref('int_titles_classified') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

tagged_titles as (
    select
        titles.*,
        tags.genre_name
    from titles
    left join tags
        on titles.content_key = tags.content_key
    where titles.row_verdict = 'canonical'
),

final as (
    {% for dimension in var('dimensions') if dimension.unit == 'title' -%}
        select distinct
            content_key,
            '{{ dimension.name }}' as dimension,
            cast({{ dimension.column }} as {{ data_type('varchar') }})
                as dimension_value
        from tagged_titles
        where {{ dimension.column }} is not null
        {{ 'union all' if not loop.last }}
    {% else -%}
        select
            content_key,
            title as dimension,
            title as dimension_value
        from tagged_titles
        where false
    {% endfor %}
)

select * from final
