{#-
    Grain: one row per dimension and value that has a session.

    Quantiles are nearest ranks: the smallest length that at least such a share
    of the sessions does not exceed, hence always the length of a session. They
    come from the running sum of sessions by length, not from the sessions.
-#}

with

length_counts as (select * from {{ ref('fct_session_length_counts') }}),

sessions as (select * from {{ ref('int_sessions_measured') }}),

users as (select * from {{ ref('int_users_broken_down') }}),

session_values as (select * from {{ ref('int_sessions_broken_down') }}),

cumulated as (
    select
        *,
        sum(session_count) over (
            partition by dimension, dimension_value
            order by length_seconds asc nulls last
            rows between unbounded preceding and current row
        ) as sessions_so_far,
        sum(session_count) over (
            partition by dimension, dimension_value
        ) as sessions_in_all
    from length_counts
),

measured as (
    select
        dimension,
        dimension_value,
        sum(session_count) as session_count,
        sum(session_count * length_seconds) as total_seconds,
        {{ nearest_rank(
            'length_seconds', 'sessions_so_far', 'sessions_in_all', 25
        ) }} as p25_seconds,
        {{ nearest_rank(
            'length_seconds', 'sessions_so_far', 'sessions_in_all', 50
        ) }} as median_seconds,
        {{ nearest_rank(
            'length_seconds', 'sessions_so_far', 'sessions_in_all', 75
        ) }} as p75_seconds,
        {{ nearest_rank(
            'length_seconds', 'sessions_so_far', 'sessions_in_all', 90
        ) }} as p90_seconds,
        {{ nearest_rank(
            'length_seconds', 'sessions_so_far', 'sessions_in_all', 95
        ) }} as p95_seconds,
        max(length_seconds) as longest_seconds
    from cumulated
    group by dimension, dimension_value
),

session_users as (select distinct user_key from sessions),

value_users as (
    select distinct
        dimension,
        dimension_value,
        user_key
    from session_values
),

user_counts as (
    select
        users.dimension,
        users.dimension_value,
        count(*) as user_count
    from session_users
    inner join users
        on session_users.user_key = users.user_key
    where users.dimension_unit = 'user'
    group by users.dimension, users.dimension_value
    union all
    select
        dimension,
        dimension_value,
        count(*) as user_count
    from value_users
    group by dimension, dimension_value
),

final as (
    select
        -- attributes
        measured.dimension,
        measured.dimension_value,

        -- measures
        cast(measured.session_count as integer) as session_count,
        cast(user_counts.user_count as integer) as user_count,
        {{ rate('measured.session_count', 'user_counts.user_count') }}
            as sessions_per_user,
        {{ rate('measured.total_seconds', 'measured.session_count') }}
            as mean_seconds,
        cast(measured.p25_seconds as bigint) as p25_seconds,
        cast(measured.median_seconds as bigint) as median_seconds,
        cast(measured.p75_seconds as bigint) as p75_seconds,
        cast(measured.p90_seconds as bigint) as p90_seconds,
        cast(measured.p95_seconds as bigint) as p95_seconds,
        cast(measured.longest_seconds as bigint) as longest_seconds
    from measured
    inner join user_counts
        on
            measured.dimension = user_counts.dimension
            and measured.dimension_value = user_counts.dimension_value
)

select * from final
