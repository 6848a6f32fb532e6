{#-
    Grain: one row per dimension, value and whole second of session length that
    occurs.

    A length is counted in whole seconds that have passed. A session has the
    dimensions of its user, and counts once for each value that its plays have,
    so that devices and genres do not add up to `all`, which also holds the
    sessions without a play.
-#}

with

sessions as (select * from {{ ref('int_sessions_measured') }}),

users as (select * from {{ ref('int_users_broken_down') }}),

session_values as (select * from {{ ref('int_sessions_broken_down') }}),

lengths as (
    select
        user_key,
        run_start_number,
        piece_number,
        cast(floor(duration_seconds) as bigint) as length_seconds
    from sessions
),

-- Every session is counted once for each value of its user: by a number, which
-- costs less than two texts.
user_values as (
    select
        row_number() over (
            order by
                dimension asc nulls last,
                dimension_value asc nulls last
        ) as value_number,
        dimension,
        dimension_value
    from users
    where dimension_unit = 'user'
    group by dimension, dimension_value
),

users_numbered as (
    select
        users.user_key,
        user_values.value_number
    from users
    inner join user_values
        on
            users.dimension = user_values.dimension
            and users.dimension_value = user_values.dimension_value
),

users_counted as (
    select
        users_numbered.value_number,
        lengths.length_seconds,
        count(*) as session_count
    from lengths
    inner join users_numbered
        on lengths.user_key = users_numbered.user_key
    group by users_numbered.value_number, lengths.length_seconds
),

counted as (
    select
        user_values.dimension,
        user_values.dimension_value,
        users_counted.length_seconds,
        users_counted.session_count
    from users_counted
    inner join user_values
        on users_counted.value_number = user_values.value_number
    union all
    select
        session_values.dimension,
        session_values.dimension_value,
        lengths.length_seconds,
        count(*) as session_count
    from lengths
    inner join session_values
        on
            lengths.user_key = session_values.user_key
            and lengths.run_start_number = session_values.run_start_number
            and lengths.piece_number = session_values.piece_number
    group by
        session_values.dimension,
        session_values.dimension_value,
        lengths.length_seconds
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,

        -- measures
        length_seconds,
        cast(session_count as integer) as session_count
    from counted
)

select * from final
