{#- Grain: one row per line of a raw file that could not be read. -#}

with

source as (select * from {{ source('reader', 'malformed_rows') }}),

renamed as (
    select
        -- attributes
        table_name,
        file_name,
        reason_name,
        reason_text,
        line_text,

        -- measures
        line_number
    from source
)

select * from renamed
