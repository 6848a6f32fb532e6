{#-
    Grain: one row per title and genre. A title without a genre has no row, and
    an empty part of a separated list is no genre.
-#}

with

titles as (select * from {{ ref('int_titles_classified') }}),

split as (
    select
        content_id,
        content_key,
        {{ split_to_rows('genre_names', '|') }} as genre_part
    from titles
    where row_verdict = 'canonical'
),

final as (
    select distinct
        -- keys
        content_id,
        content_key,

        -- attributes
        trim(genre_part) as genre_name
    from split
    where trim(genre_part) <> ''
)

select * from final
