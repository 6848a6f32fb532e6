{#-
    Grain: one row per readable line of the content file, with its verdict.

    A title listed twice is counted once; the columns in their order decide, so
    that the order of lines never matters. Models of events know a title by
    `content_key`, a whole number.
-#}

with

content as (select * from {{ ref('stg_service__content') }}),

numbered as (
    select
        *,
        row_number() over (
            partition by content_id
            order by
                release_date asc nulls last,
                title asc nulls last,
                genre_names asc nulls last,
                language_code asc nulls last,
                duration_seconds asc nulls last
        ) as copy_number
    from content
),

-- Keys of the titles that stand, in the order of their ids.
keyed as (
    select
        *,
        row_number() over (
            partition by content_id is not null and copy_number = 1
            order by content_id asc nulls last
        ) as place
    from numbered
),

final as (
    select
        -- keys
        content_id,
        case
            when content_id is not null and copy_number = 1
                then cast(place as integer)
        end as content_key,

        -- attributes
        title,
        genre_names,
        coalesce(language_code, 'unknown') as language_code,
        case when content_id is null then 'missing_key' end as reject_reason,
        case
            when content_id is null then 'rejected'
            when copy_number > 1 then 'duplicate'
            else 'canonical'
        end as row_verdict,

        -- measures
        -- A length of nothing is an unknown length.
        case when duration_seconds > 0 then duration_seconds end
            as duration_seconds,

        -- times
        release_date
    from keyed
)

select * from final
