{#-
    Grain: one row per experiment, metric, variant and pair of days since
    assignment, the second no later than the first: means of the two days, and
    their covariance between users.

    The same users on all days: those whose whole window is loaded. They come
    back day after day, so that days are not independent; with the covariance
    of each pair a change over the days can be tested. A metric needs a window
    of two days at least, and amounts that add up over days: a ratio or a
    quantile of a day is not part of the window's.
-#}

with

outcomes as (select * from {{ ref('fct_experiment_outcomes') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

measures as (select * from {{ ref('int_measures_recorded') }}),

users as (select * from {{ ref('int_users_started') }}),

declared as (select * from {{ ref('int_measures_declared') }}),

day_numbers as ({{ integers('day_number', 365) }}),

daily_metrics as (
    select metrics.*
    from metrics
    inner join declared
        on metrics.measure = declared.measure
    where
        metrics.kind in ({{ kinds_with('adds_up') }})
        and metrics.window_end_day - metrics.window_start_day between 2 and 366
),

units as (
    select
        outcomes.experiment_id,
        outcomes.metric_name,
        outcomes.variant,
        outcomes.is_control,
        outcomes.user_id,
        users.user_key,
        daily_metrics.kind,
        daily_metrics.measure,
        daily_metrics.day_mode,
        daily_metrics.window_start_day,
        outcomes.window_starts_at,
        outcomes.window_ends_at
    from outcomes
    inner join daily_metrics
        on
            outcomes.experiment_id = daily_metrics.experiment_id
            and outcomes.metric_name = daily_metrics.metric_name
    inner join users
        on outcomes.user_id = users.user_id
    where outcomes.is_mature
),

numbered as (
    select
        units.experiment_id,
        units.metric_name,
        units.variant,
        units.user_id,
        units.kind,
        measures.amount,
        units.window_start_day + cast(
            case units.day_mode
                when 'calendar'
                    then {{ days_between(
                        local_date('units.window_starts_at'),
                        local_date('measures.measured_at')
                    ) }}
                else floor({{ seconds_between(
                    'units.window_starts_at', 'measures.measured_at'
                ) }} / 86400)
            end
            as integer
        ) as day_number
    from units
    inner join measures
        on
            units.user_key = measures.user_key
            and units.measure = measures.measure
    where
        measures.measured_at >= units.window_starts_at
        and measures.measured_at < units.window_ends_at
),

-- Days on which a user did nothing are 0 and bring nothing to any sum.
user_days as (
    select
        experiment_id,
        metric_name,
        variant,
        user_id,
        day_number,
        case
            when kind in ({{ kinds_with('is_share') }}) then 1
            else sum(amount)
        end as amount
    from numbered
    group by
        experiment_id, metric_name, variant, user_id, kind, day_number
),

sums as (
    select
        experiment_id,
        metric_name,
        variant,
        day_number,
        sum(amount) as amount
    from user_days
    group by experiment_id, metric_name, variant, day_number
),

products as (
    select
        later.experiment_id,
        later.metric_name,
        later.variant,
        later.day_number,
        earlier.day_number as other_day_number,
        sum(later.amount * earlier.amount) as product
    from user_days as later
    inner join user_days as earlier
        on
            later.experiment_id = earlier.experiment_id
            and later.metric_name = earlier.metric_name
            and later.user_id = earlier.user_id
            and later.day_number >= earlier.day_number
    group by
        later.experiment_id,
        later.metric_name,
        later.variant,
        later.day_number,
        earlier.day_number
),

counts as (
    select
        experiment_id,
        metric_name,
        variant,
        is_control,
        count(*) as unit_count
    from units
    group by experiment_id, metric_name, variant, is_control
),

pairs as (
    select
        counts.*,
        later.day_number,
        earlier.day_number as other_day_number
    from counts
    inner join daily_metrics
        on
            counts.experiment_id = daily_metrics.experiment_id
            and counts.metric_name = daily_metrics.metric_name
    inner join day_numbers as later
        on
            daily_metrics.window_start_day <= later.day_number
            and daily_metrics.window_end_day > later.day_number
    inner join day_numbers as earlier
        on
            daily_metrics.window_start_day <= earlier.day_number
            and later.day_number >= earlier.day_number
),

summed as (
    select
        pairs.*,
        cast(coalesce(sums.amount, 0) as {{ exact_integer() }}) as amount,
        cast(coalesce(other_sums.amount, 0) as {{ exact_integer() }})
            as other_amount,
        cast(coalesce(products.product, 0) as {{ exact_integer() }}) as product
    from pairs
    left join sums
        on
            pairs.experiment_id = sums.experiment_id
            and pairs.metric_name = sums.metric_name
            and pairs.variant = sums.variant
            and pairs.day_number = sums.day_number
    left join sums as other_sums
        on
            pairs.experiment_id = other_sums.experiment_id
            and pairs.metric_name = other_sums.metric_name
            and pairs.variant = other_sums.variant
            and pairs.other_day_number = other_sums.day_number
    left join products
        on
            pairs.experiment_id = products.experiment_id
            and pairs.metric_name = products.metric_name
            and pairs.variant = products.variant
            and pairs.day_number = products.day_number
            and pairs.other_day_number = products.other_day_number
),

final as (
    select
        -- keys
        experiment_id,

        -- attributes
        metric_name,
        variant,
        is_control,

        -- measures
        cast(day_number as integer) as day_number,
        cast(other_day_number as integer) as other_day_number,
        cast(unit_count as integer) as unit_count,
        {{ rate('amount', 'unit_count') }} as value_mean,
        {{ rate('other_amount', 'unit_count') }} as other_value_mean,
        {{ sample_variance(
            'unit_count', 'amount', 'other_amount', 'product'
        ) }} as covariance
    from summed
)

select * from final
