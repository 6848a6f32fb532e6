{#-
    The joins of the widest view neither lose nor repeat an event, nor what was
    watched after it, and no two canonical events share an id: there are as many
    ids as events. One reading of the view proves it all.
-#}

with

reconciliation as (select * from {{ ref('fct_reconciliation') }}),

user_days as (select * from {{ ref('fct_user_days') }}),

activity as (select * from {{ ref('fct_streaming_activity') }}),

counted as (
    select
        count(*) as row_count,
        count(distinct event_id) as id_count,
        coalesce(sum(watched_seconds), 0) as watched_seconds
    from activity
),

watched as (
    select coalesce(sum(watched_seconds), 0) as watched_seconds
    from user_days
),

final as (
    select
        reconciliation.canonical_rows,
        counted.row_count,
        counted.id_count,
        watched.watched_seconds,
        counted.watched_seconds as shown_watched_seconds
    from reconciliation
    cross join counted
    cross join watched
    where
        reconciliation.table_name = 'events'
        and (
            reconciliation.canonical_rows <> counted.row_count
            or reconciliation.canonical_rows <> counted.id_count
            or watched.watched_seconds <> counted.watched_seconds
        )
)

select * from final
