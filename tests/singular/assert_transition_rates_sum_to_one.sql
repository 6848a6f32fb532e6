{#- The ways from a genre are all there, and none is counted twice. -#}

with

transitions as (select * from {{ ref('fct_genre_transitions') }}),

final as (
    select
        from_genre_name,
        sum(transition_rate) as rate_total
    from transitions
    group by from_genre_name
    having abs(sum(transition_rate) - 1) > 1e-9
)

select * from final
