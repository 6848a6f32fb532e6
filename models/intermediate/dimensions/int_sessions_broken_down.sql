{{ config(meta={'cut_by': 'user_key', 'event_bytes': 400}) }}

{#-
    Grain: one row per session, dimension of its plays or their titles, and
    value that it holds, by itself or paired with one of its user's.

    A session holds as many values as its plays have, so that these do not add
    up to all sessions. Its user's breakdowns are those of
    int_users_broken_down.
-#}

with

plays as (select * from {{ ref('int_plays_described') }}),

folded as (select * from {{ ref('int_dimensions_folded') }}),

users as (select * from {{ ref('int_users_dimensioned') }}),

dimensions as (select * from {{ ref('int_dimensions_declared') }}),

held as (
    select distinct
        plays.user_key,
        plays.run_start_number,
        plays.piece_number,
        plays.dimension,
        folded.dimension_value
    from plays
    inner join folded
        on
            plays.dimension = folded.dimension
            and plays.dimension_value = folded.logged_value
),

final as (
    select * from held
    union all
    select
        held.user_key,
        held.run_start_number,
        held.piece_number,
        dimensions.dimension,
        held.dimension_value || ' x ' || users.dimension_value
            as dimension_value
    from dimensions
    inner join held
        on dimensions.first_dimension = held.dimension
    inner join users
        on
            held.user_key = users.user_key
            and dimensions.second_dimension = users.dimension
    union all
    select
        held.user_key,
        held.run_start_number,
        held.piece_number,
        dimensions.dimension,
        users.dimension_value || ' x ' || held.dimension_value
            as dimension_value
    from dimensions
    inner join held
        on dimensions.second_dimension = held.dimension
    inner join users
        on
            held.user_key = users.user_key
            and dimensions.first_dimension = users.dimension
)

select * from final
