{#-
    Every session has one platform, one country and one band of length, so each
    of them adds up to all sessions, in counts, summary and bands alike.
-#}

with

sessions as (select * from {{ ref('fct_sessions') }}),

length_counts as (select * from {{ ref('fct_session_length_counts') }}),

summary as (select * from {{ ref('fct_session_lengths') }}),

bands as (select * from {{ ref('fct_session_length_bands') }}),

totals as (
    select
        'counts' as counted_in,
        dimension,
        sum(session_count) as session_count
    from length_counts
    group by dimension
    union all
    select
        'summary' as counted_in,
        dimension,
        sum(session_count) as session_count
    from summary
    group by dimension
    union all
    select
        'bands' as counted_in,
        dimension,
        sum(session_count) as session_count
    from bands
    group by dimension
),

everything as (select count(*) as session_count from sessions),

final as (
    select
        totals.counted_in,
        totals.dimension,
        totals.session_count,
        everything.session_count as all_session_count
    from totals
    cross join everything
    where
        totals.dimension in ('all', 'platform', 'country')
        and totals.session_count <> everything.session_count
)

select * from final
