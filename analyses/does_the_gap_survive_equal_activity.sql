{#-
    Grain: one row per stratum of early activity on which both explorers and
    others were seen: how far apart their retention lies there.

    Compiled by `dbt compile`; paste it into any SQL client.
-#}

with

strata as (select * from {{ ref('fct_genre_strata') }}),

explorers as (
    select *
    from strata
    where is_explorer
),

others as (
    select *
    from strata
    where not is_explorer
),

final as (
    select
        -- attributes
        explorers.platform,

        -- measures
        explorers.valid_play_band,
        explorers.eligible_users as explorers,
        others.eligible_users as others,
        {{ rate('explorers.retained_users', 'explorers.eligible_users') }}
        - {{ rate('others.retained_users', 'others.eligible_users') }}
            as rate_difference
    from explorers
    inner join others
        on explorers.stratum_id = others.stratum_id
)

select * from final
