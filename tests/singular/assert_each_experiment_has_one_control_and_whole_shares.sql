{#- Comparisons need one control; the sample-ratio check needs shares of 1. -#}

with

variants as (select * from {{ ref('stg_reference__variants') }}),

final as (
    select
        experiment_id,
        count(*) filter (where is_control) as control_count,
        count(distinct experiment_name) as name_count,
        sum(expected_share) as share_total
    from variants
    group by experiment_id
    having
        count(*) filter (where is_control) <> 1
        or count(distinct experiment_name) <> 1
        or abs(sum(expected_share) - 1) > 1e-9
)

select * from final
