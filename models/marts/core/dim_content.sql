{#- Grain: one row per title. -#}

with

titles as (select * from {{ ref('int_titles_classified') }}),

tags as (select * from {{ ref('int_titles_tagged') }}),

genre_counts as (
    select
        content_id,
        count(*) as genre_count
    from tags
    group by content_id
),

final as (
    select
        -- keys
        titles.content_id,

        -- attributes
        titles.title,
        titles.genre_names,
        titles.language_code,

        -- measures
        cast(coalesce(genre_counts.genre_count, 0) as integer) as genre_count,
        titles.duration_seconds,

        -- times
        titles.release_date
    from titles
    left join genre_counts
        on titles.content_id = genre_counts.content_id
    where titles.row_verdict = 'canonical'
)

select * from final
