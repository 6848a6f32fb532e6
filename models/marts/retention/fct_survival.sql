{#-
    Grain: one row per dimension, value and day number on which somebody is
    still followed.

    Kaplan and Meier's estimate of the share of new users who live longer than
    so many days, from everybody who was followed at all: whoever was followed
    for a shorter time counts for as long as that, and is then no longer at
    risk. On one day churning comes before the end of follow-up.

    The share is the product of what each day leaves, summed as logarithms; it
    is exactly 0 on the day that the last one at risk churns. Where nobody or
    everybody has churned Greenwood's variance is 0, which says nothing about
    certainty: there is no interval.
-#}

with

lifetimes as (select * from {{ ref('fct_user_lifetimes') }}),

dimensions as (select * from {{ ref('int_users_broken_down') }}),

day_numbers as (
    {{ integers('day_number', var('retention_horizon_days')) }}
),

exits as (
    select
        dimensions.dimension,
        dimensions.dimension_value,
        lifetimes.lifetime_days,
        count(*) as exited_users,
        count(*) filter (where lifetimes.is_churned) as churned_users
    from lifetimes
    inner join dimensions
        on lifetimes.user_id = dimensions.user_id
    where dimensions.is_bounded
    group by
        dimensions.dimension,
        dimensions.dimension_value,
        lifetimes.lifetime_days
),

followed as (
    select
        dimension,
        dimension_value,
        sum(exited_users) as followed_users,
        max(lifetime_days) as last_day_number
    from exits
    group by dimension, dimension_value
),

days as (
    select
        followed.dimension,
        followed.dimension_value,
        followed.followed_users,
        day_numbers.day_number,
        coalesce(exits.exited_users, 0) as exited_users,
        coalesce(exits.churned_users, 0) as churned_users
    from followed
    inner join day_numbers
        on followed.last_day_number >= day_numbers.day_number
    left join exits
        on
            followed.dimension = exits.dimension
            and followed.dimension_value = exits.dimension_value
            and day_numbers.day_number = exits.lifetime_days
),

at_risk as (
    select
        *,
        followed_users - coalesce(
            sum(exited_users) over (
                partition by dimension, dimension_value
                order by day_number asc nulls last
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as at_risk_users
    from days
),

steps as (
    select
        *,
        at_risk_users - churned_users as staying_users
    from at_risk
),

summed as (
    select
        *,
        sum(
            case
                when staying_users > 0
                    then ln({{ rate('staying_users', 'at_risk_users') }})
            end
        ) over days_so_far as log_survival,
        sum(
            case
                when staying_users > 0
                    then
                        {{ rate('churned_users', 'at_risk_users') }}
                        / staying_users
            end
        ) over days_so_far as log_variance
    from steps
    window
        days_so_far as (
            partition by dimension, dimension_value
            order by day_number asc nulls last
            rows between unbounded preceding and current row
        )
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,

        -- measures
        day_number,
        cast(at_risk_users as integer) as at_risk_users,
        cast(churned_users as integer) as churned_users,
        cast(exited_users - churned_users as integer) as censored_users,
        case
            when staying_users = 0 then cast(0 as {{ data_type('double') }})
            else exp(log_survival)
        end as survival_rate,
        {{ rate('churned_users', 'at_risk_users') }} as hazard_rate,
        case
            when staying_users > 0
                then {{ log_log_bound(
                    'log_survival', 'log_variance', 'low'
                ) }}
        end as ci_low,
        case
            when staying_users > 0
                then {{ log_log_bound(
                    'log_survival', 'log_variance', 'high'
                ) }}
        end as ci_high
    from summed
)

select * from final
