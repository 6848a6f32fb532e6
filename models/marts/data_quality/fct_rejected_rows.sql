{#-
    Grain: one row per raw table and reason for which lines were set apart.

    `malformed` lines could not be read at all, `duplicate` lines repeat a row
    that stands, the other reasons are those of the classified models.
-#}

with

events as (select * from {{ ref('int_events_classified') }}),

users as (select * from {{ ref('int_users_classified') }}),

titles as (select * from {{ ref('int_titles_classified') }}),

assignments as (select * from {{ ref('int_assignments_classified') }}),

measures as (select * from {{ ref('int_measures_classified') }}),

segments as (select * from {{ ref('int_segments_classified') }}),

malformed as (select * from {{ ref('stg_reader__malformed_rows') }}),

set_apart as (
    select
        'events' as table_name,
        coalesce(reject_reason, row_verdict) as reason
    from events
    where row_verdict <> 'canonical'
    union all
    select
        'users' as table_name,
        coalesce(reject_reason, row_verdict) as reason
    from users
    where row_verdict <> 'canonical'
    union all
    select
        'content' as table_name,
        coalesce(reject_reason, row_verdict) as reason
    from titles
    where row_verdict <> 'canonical'
    union all
    select
        'experiment_assignments' as table_name,
        coalesce(reject_reason, row_verdict) as reason
    from assignments
    where row_verdict <> 'canonical'
    union all
    select
        'user_measures' as table_name,
        coalesce(reject_reason, row_verdict) as reason
    from measures
    where row_verdict <> 'canonical'
    union all
    select
        'user_segments' as table_name,
        coalesce(reject_reason, row_verdict) as reason
    from segments
    where row_verdict <> 'canonical'
    union all
    select
        table_name,
        'malformed' as reason
    from malformed
),

final as (
    select
        -- attributes
        table_name,
        reason,

        -- measures
        cast(count(*) as bigint) as row_count
    from set_apart
    group by table_name, reason
)

select * from final
