{#-
    Of the same users, a longer window retains at least as many: on the day, in
    a bracket that begins with it, on it or after. Users are the same where
    windows end together, and where both have passed for everybody.
-#}

with

summary as (select * from {{ ref('fct_retention_summary') }}),

final as (
    select
        inner_windows.dimension,
        inner_windows.dimension_value,
        inner_windows.day_mode,
        inner_windows.retention_type,
        inner_windows.from_day_number,
        inner_windows.to_day_number,
        inner_windows.retained_users,
        outer_windows.retention_type as outer_retention_type,
        outer_windows.from_day_number as outer_from_day_number,
        outer_windows.to_day_number as outer_to_day_number,
        outer_windows.retained_users as outer_retained_users
    from summary as inner_windows
    inner join summary as outer_windows
        on
            inner_windows.dimension = outer_windows.dimension
            and inner_windows.dimension_value = outer_windows.dimension_value
            and inner_windows.day_mode = outer_windows.day_mode
            and inner_windows.from_day_number >= outer_windows.from_day_number
            and inner_windows.to_day_number <= outer_windows.to_day_number
    where
        (
            inner_windows.to_day_number = outer_windows.to_day_number
            or (inner_windows.is_mature and outer_windows.is_mature)
        )
        and inner_windows.retained_users > outer_windows.retained_users
)

select * from final
