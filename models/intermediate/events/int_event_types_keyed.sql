{#-
    Grain: one row per type of event that occurs, with its key and what it does.

    What a type of event does to a title and whether it makes its user active is
    looked up here once, in `event_types.csv`; models above ask for the effect
    and never for the type. Events of a type that is not declared there are
    rejected, or, while `unknown_event_types` is `keep`, do nothing.
-#}

{%- if var('unknown_event_types') not in ['reject', 'keep'] %}
    {{ exceptions.raise_compiler_error(
        "unknown_event_types is '" ~ var('unknown_event_types')
        ~ "'. Write reject or keep."
    ) }}
{%- endif %}

with

types as (select * from {{ ref('stg_reference__event_types') }}),

names as (select * from {{ ref('int_names_keyed') }}),

final as (
    select
        -- keys
        names.name_key as event_type_key,

        -- attributes
        names.name as event_type,
        case
            when types.event_type is not null then types.playback_effect
            when '{{ var("unknown_event_types") }}' = 'keep' then 'none'
        end as playback_effect,
        coalesce(types.is_active, false) as is_active
    from names
    left join types
        on names.name = types.event_type
    where names.is_of_event
)

select * from final
