{#- Grain: one row per line of the content file that could be read. -#}

with

source as (select * from {{ ref('content') }}),

renamed as (
    select
        -- keys
        cast(content_id as {{ data_type('varchar') }}) as content_id,

        -- attributes
        cast(title as {{ data_type('varchar') }}) as title,
        genre as genre_names,
        lower(language) as language_code,

        -- measures
        cast(duration_seconds as {{ data_type('double') }}) as duration_seconds,

        -- times
        cast(released_on as date) as release_date
    from source
)

select * from renamed
