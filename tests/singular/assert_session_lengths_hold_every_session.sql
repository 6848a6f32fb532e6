{#-
    Every session has one length and one band of it, so `all` are all sessions,
    in counts, summary and bands alike.
-#}

with

sessions as (select * from {{ ref('int_sessions_measured') }}),

length_counts as (select * from {{ ref('fct_session_length_counts') }}),

summary as (select * from {{ ref('fct_session_lengths') }}),

bands as (select * from {{ ref('fct_session_length_bands') }}),

totals as (
    select
        'counts' as counted_in,
        sum(session_count) as session_count
    from length_counts
    where dimension = 'all'
    union all
    select
        'summary' as counted_in,
        sum(session_count) as session_count
    from summary
    where dimension = 'all'
    union all
    select
        'bands' as counted_in,
        sum(session_count) as session_count
    from bands
    where dimension = 'all'
),

everything as (select count(*) as session_count from sessions),

final as (
    select
        totals.counted_in,
        totals.session_count,
        everything.session_count as all_session_count
    from totals
    cross join everything
    where coalesce(totals.session_count, 0) <> everything.session_count
)

select * from final
