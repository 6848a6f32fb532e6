{#-
    Grain: one row per title and genre under a shuffled map: each title with
    genres is given those of another one.

    Titles in the order of their ids receive the genres of titles in the order
    of the ids' fingerprints, so that the shuffle is the same everywhere and
    every list of genres stays as frequent among titles as it was. What people
    watched stays as it was too; what it was about is now chance.
-#}

with

tags as (select * from {{ ref('int_titles_tagged') }}),

titles as (
    select
        content_id,
        content_key,
        md5(content_id) as fingerprint
    from tags
    group by content_id, content_key
),

placed as (
    select
        content_key,
        row_number() over (order by content_id asc nulls last) as place,
        row_number() over (
            order by fingerprint asc nulls last, content_id asc nulls last
        ) as shuffled_place
    from titles
),

final as (
    select
        -- keys
        receivers.content_key,

        -- attributes
        tags.genre_name
    from placed as receivers
    inner join placed as givers
        on receivers.place = givers.shuffled_place
    inner join tags
        on givers.content_key = tags.content_key
)

select * from final
