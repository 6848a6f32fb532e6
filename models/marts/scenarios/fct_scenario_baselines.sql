{#-
    Grain: one row per baseline of the scenarios, with the users it rests on.

    Every scenario starts from one of these numbers and names its base. The
    standard error of a count is empty: it is no estimate.
-#}

with

diversity as (select * from {{ ref('fct_user_genres') }}),

returns as (select * from {{ ref('fct_user_returns') }}),

day_returns as (
    select
        user_id,
        is_eligible,
        is_retained,
        from_day_number as day_number
    from returns
    where
        retention_type = 'on_day'
        and day_mode = 'calendar'
),

day_rates as (
    select
        day_number,
        count(*) as eligible_users,
        count(*) filter (where is_retained) as retained_users
    from day_returns
    where is_eligible
    group by day_number
),

-- D1 and D30 of the same users, so that their ratio compares like with like.
both_days as (
    select
        first_day.user_id,
        first_day.is_retained as is_retained_first,
        last_day.is_retained as is_retained_last
    from day_returns as first_day
    inner join day_returns as last_day
        on first_day.user_id = last_day.user_id
    where
        first_day.day_number = 1
        and last_day.day_number = 30
        and last_day.is_eligible
),

ratio as (
    select
        count(*) as user_count,
        {{ rate(
            'count(*) filter (where is_retained_first)', 'count(*)'
        ) }} as first_rate,
        {{ rate(
            'count(*) filter (where is_retained_last)', 'count(*)'
        ) }} as last_rate,
        {{ rate(
            'count(*) filter (where is_retained_first and is_retained_last)',
            'count(*)'
        ) }} as both_rate
    from both_days
),

explorer_rates as (
    select
        is_explorer,
        count(*) as eligible_users,
        count(*) filter (where is_retained) as retained_users
    from diversity
    where is_eligible
    group by is_explorer
),

totals as (
    select
        count(*) as new_users,
        count(*) filter (where is_eligible) as eligible_users,
        count(*) filter (where is_eligible and not is_explorer)
            as low_explorers
    from diversity
),

proportions as (
    select
        'low_explorer_share' as baseline_name,
        low_explorers as part,
        eligible_users as whole,
        'new users whose outcome day is loaded whole' as base_description
    from totals
    union all
    select
        'd' || cast(day_number as {{ data_type('varchar') }}) || '_rate'
            as baseline_name,
        retained_users as part,
        eligible_users as whole,
        'new users whose day ' || cast(day_number as {{ data_type('varchar') }})
        || ' is loaded whole' as base_description
    from day_rates
    union all
    select
        case
            when is_explorer
                then 'd{{ var("genre_outcome_day") }}_rate_explorers'
            else 'd{{ var("genre_outcome_day") }}_rate_low_explorers'
        end as baseline_name,
        retained_users as part,
        eligible_users as whole,
        case
            when is_explorer
                then 'new users who reached the explorers'' genre count'
            else 'new users below the explorers'' genre count'
        end as base_description
    from explorer_rates
),

baselines as (
    select
        'new_users' as baseline_name,
        cast(new_users as {{ data_type('double') }}) as value,
        cast(null as {{ data_type('double') }}) as standard_error,
        'users' as unit,
        new_users as user_count,
        'users whose first activity lies in the log' as base_description
    from totals
    union all
    select
        'low_explorers' as baseline_name,
        cast(low_explorers as {{ data_type('double') }}) as value,
        cast(null as {{ data_type('double') }}) as standard_error,
        'users' as unit,
        low_explorers as user_count,
        'new users below the explorers'' genre count' as base_description
    from totals
    union all
    select
        baseline_name,
        {{ rate('part', 'whole') }} as value,
        sqrt(
            {{ rate('part', 'whole') }}
            * (1 - {{ rate('part', 'whole') }})
            / nullif(cast(whole as {{ data_type('double') }}), 0)
        ) as standard_error,
        'rate' as unit,
        whole as user_count,
        base_description
    from proportions
    union all
    -- The delta method for the ratio of two proportions of the same users.
    select
        'd30_per_d1' as baseline_name,
        last_rate / nullif(first_rate, 0) as value,
        sqrt(
            greatest(
                last_rate * (1 - last_rate)
                - 2 * last_rate / nullif(first_rate, 0)
                * (both_rate - first_rate * last_rate)
                + last_rate * last_rate
                / nullif(first_rate * first_rate, 0)
                * first_rate * (1 - first_rate),
                cast(0 as {{ data_type('double') }})
            )
            / nullif(cast(user_count as {{ data_type('double') }}), 0)
        )
        / nullif(first_rate, 0) as standard_error,
        'ratio' as unit,
        user_count,
        'new users whose day 30 is loaded whole' as base_description
    from ratio
),

final as (
    select
        -- attributes
        baseline_name,
        unit,
        base_description,

        -- measures
        value,
        standard_error,
        cast(user_count as integer) as user_count
    from baselines
)

select * from final
