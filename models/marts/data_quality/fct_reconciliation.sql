{#-
    Grain: one row per raw table: where its lines went.

    The total is counted on the raw side, from the staged lines and those that
    could not be read; the parts on the other side, after classification.
-#}

with

staged_events as (select * from {{ ref('stg_service__events') }}),

staged_users as (select * from {{ ref('stg_service__users') }}),

staged_content as (select * from {{ ref('stg_service__content') }}),

staged_assignments as (select * from {{ ref('stg_service__assignments') }}),

staged_measures as (select * from {{ ref('stg_service__measures') }}),

staged_segments as (select * from {{ ref('stg_service__segments') }}),

malformed as (select * from {{ ref('stg_reader__malformed_rows') }}),

events as (select * from {{ ref('int_events_classified') }}),

types as (select * from {{ ref('stg_reference__event_types') }}),

types_keyed as (select * from {{ ref('int_event_types_keyed') }}),

users as (select * from {{ ref('int_users_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

assignments as (select * from {{ ref('int_assignments_classified') }}),

measures as (select * from {{ ref('int_measures_classified') }}),

segments as (select * from {{ ref('int_segments_classified') }}),

staged as (
    select
        'events' as table_name,
        count(*) as staged_rows
    from staged_events
    union all
    select
        'users' as table_name,
        count(*) as staged_rows
    from staged_users
    union all
    select
        'content' as table_name,
        count(*) as staged_rows
    from staged_content
    union all
    select
        'experiment_assignments' as table_name,
        count(*) as staged_rows
    from staged_assignments
    union all
    select
        'user_measures' as table_name,
        count(*) as staged_rows
    from staged_measures
    union all
    select
        'user_segments' as table_name,
        count(*) as staged_rows
    from staged_segments
),

unread as (
    select
        table_name,
        count(*) as malformed_rows
    from malformed
    group by table_name
),

events_counted as (
    select
        event_type_key,
        row_verdict,
        count(*) as row_count
    from events
    group by event_type_key, row_verdict
),

kept as (
    select
        'events' as table_name,
        sum(events_counted.row_count) as unknown_type_rows
    from events_counted
    left join types_keyed
        on events_counted.event_type_key = types_keyed.event_type_key
    left join types
        on types_keyed.event_type = types.event_type
    where
        events_counted.row_verdict = 'canonical'
        and types.event_type is null
),

verdicts as (
    select
        'events' as table_name,
        row_verdict,
        row_count
    from events_counted
    union all
    select
        'users' as table_name,
        row_verdict,
        count(*) as row_count
    from users
    group by row_verdict
    union all
    select
        'content' as table_name,
        row_verdict,
        count(*) as row_count
    from titles
    group by row_verdict
    union all
    select
        'experiment_assignments' as table_name,
        row_verdict,
        count(*) as row_count
    from assignments
    group by row_verdict
    union all
    select
        'user_measures' as table_name,
        row_verdict,
        count(*) as row_count
    from measures
    group by row_verdict
    union all
    select
        'user_segments' as table_name,
        row_verdict,
        count(*) as row_count
    from segments
    group by row_verdict
),

judged as (
    select
        table_name,
        coalesce(sum(row_count) filter (where row_verdict = 'rejected'), 0)
            as rejected_rows,
        coalesce(sum(row_count) filter (where row_verdict = 'duplicate'), 0)
            as duplicate_rows,
        coalesce(sum(row_count) filter (where row_verdict = 'canonical'), 0)
            as canonical_rows
    from verdicts
    group by table_name
),

final as (
    select
        -- attributes
        staged.table_name,
        (
            staged.staged_rows = coalesce(judged.rejected_rows, 0)
            + coalesce(judged.duplicate_rows, 0)
            + coalesce(judged.canonical_rows, 0)
        ) as is_reconciled,

        -- measures
        cast(
            staged.staged_rows + coalesce(unread.malformed_rows, 0) as bigint
        ) as raw_rows,
        cast(coalesce(unread.malformed_rows, 0) as bigint) as malformed_rows,
        cast(coalesce(judged.rejected_rows, 0) as bigint) as rejected_rows,
        cast(coalesce(judged.duplicate_rows, 0) as bigint) as duplicate_rows,
        cast(coalesce(judged.canonical_rows, 0) as bigint) as canonical_rows,
        cast(coalesce(kept.unknown_type_rows, 0) as bigint)
            as unknown_type_rows
    from staged
    left join unread
        on staged.table_name = unread.table_name
    left join judged
        on staged.table_name = judged.table_name
    left join kept
        on staged.table_name = kept.table_name
)

select * from final
