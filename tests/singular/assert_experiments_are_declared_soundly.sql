{#-
    Every line of experiments.csv and experiment_metrics.csv says something that
    can be computed. A failure returns a row per mistake, with its remedy; what
    only the measures can show is tested beside, by
    assert_own_measures_are_as_declared.
-#}

with

variants as (select * from {{ ref('stg_reference__variants') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

measures as (select * from {{ ref('int_measures_declared') }}),

denominators as (select * from {{ ref('int_measures_declared') }}),

own_lines as (select * from {{ ref('int_measures_classified') }}),

own_measures as (
    select
        experiment_id,
        measure
    from own_lines
    where row_verdict = 'canonical'
    group by experiment_id, measure
),

experiments as (
    select
        experiment_id,
        count(*) as variant_count,
        count(*) filter (where is_control) as control_count,
        count(distinct experiment_name) as name_count,
        count(*) filter (where expected_share > 0) as share_count,
        sum(expected_share) as share_total,
        count(distinct coalesce(planned_users, -1)) as planned_users_count,
        count(distinct coalesce(look_days, -1)) as look_days_count,
        min(planned_users) as least_planned_users,
        min(look_days) as least_look_days
    from variants
    group by experiment_id
),

described as (
    select
        metrics.*,
        experiments.experiment_id is not null as is_declared,
        measures.measure is not null as is_from_events,
        denominators.measure is not null as has_denominator_from_events,
        own_measures.measure is not null as is_own
    from metrics
    left join measures
        on metrics.measure = measures.measure
    left join denominators
        on metrics.denominator_measure = denominators.measure
    left join own_measures
        on
            metrics.experiment_id = own_measures.experiment_id
            and metrics.measure = own_measures.measure
    left join experiments
        on metrics.experiment_id = experiments.experiment_id
),

mistakes as (
    select
        experiment_id,
        cast(null as {{ data_type('varchar') }}) as metric_name,
        'has ' || cast(variant_count as {{ data_type('varchar') }})
        || ' variant' as problem,
        'give it a line for each variant in experiments.csv' as remedy
    from experiments
    where variant_count < 2
    union all
    select
        experiment_id,
        cast(null as {{ data_type('varchar') }}) as metric_name,
        'has ' || cast(control_count as {{ data_type('varchar') }})
        || ' controls' as problem,
        'write true under is_control on exactly one of its lines' as remedy
    from experiments
    where control_count <> 1
    union all
    select
        experiment_id,
        cast(null as {{ data_type('varchar') }}) as metric_name,
        'has ' || cast(name_count as {{ data_type('varchar') }})
        || ' names' as problem,
        'write the same experiment_name on each of its lines' as remedy
    from experiments
    where name_count <> 1
    union all
    select
        experiment_id,
        cast(null as {{ data_type('varchar') }}) as metric_name,
        'has shares that sum to '
        || coalesce(
            cast(share_total as {{ data_type('varchar') }}), 'nothing'
        ) as problem,
        'write an expected_share above 0 on each of its lines, 1 in total'
            as remedy
    from experiments
    where
        share_count <> variant_count
        or abs(share_total - 1) > 1e-6
    union all
    select
        experiment_id,
        cast(null as {{ data_type('varchar') }}) as metric_name,
        'has different planned_users, or planned_users below 1' as problem,
        'write the same whole number on each of its lines, for all variants '
        || 'together, or leave them empty' as remedy
    from experiments
    where planned_users_count <> 1 or least_planned_users < 1
    union all
    select
        experiment_id,
        cast(null as {{ data_type('varchar') }}) as metric_name,
        'has different look_days, or look_days below 1' as problem,
        'write the same whole number of days on each of its lines, or leave '
        || 'them empty' as remedy
    from experiments
    where look_days_count <> 1 or least_look_days < 1
    union all
    select
        experiment_id,
        cast(null as {{ data_type('varchar') }}) as metric_name,
        'has look_days and no planned_users' as problem,
        'say for how many users the looks are planned, or leave look_days empty'
            as remedy
    from experiments
    where least_look_days is not null and least_planned_users is null
    union all
    select
        experiment_id,
        metric_name,
        'the experiment is not declared' as problem,
        'correct its experiment_id, or give it lines in experiments.csv'
            as remedy
    from described
    where not is_declared
    union all
    select
        experiment_id,
        metric_name,
        'has ' || cast(count(*) as {{ data_type('varchar') }}) || ' lines'
            as problem,
        'keep one of them, or give each a metric_name of its own' as remedy
    from metrics
    group by experiment_id, metric_name
    having count(*) > 1
    union all
    select
        experiment_id,
        metric_name,
        'kind ' || coalesce(kind, 'empty') || ' is unknown' as problem,
        'write one of '
        || '{{ kinds_with("any") | replace("'", "") }}' as remedy
    from described
    where not coalesce(kind in ({{ kinds_with('any') }}), false)
    union all
    select
        experiment_id,
        metric_name,
        'role ' || coalesce(role, 'empty') || ' is unknown' as problem,
        'write primary, secondary or guardrail' as remedy
    from described
    where
        not coalesce(role in ('primary', 'secondary', 'guardrail'), false)
    union all
    select
        experiment_id,
        metric_name,
        'direction ' || coalesce(direction, 'empty') || ' is unknown'
            as problem,
        'write increase or decrease: what would be good' as remedy
    from described
    where not coalesce(direction in ('increase', 'decrease'), false)
    union all
    select
        experiment_id,
        metric_name,
        'has no measure' as problem,
        'name a measure of the events or of user_measures.csv' as remedy
    from described
    where measure is null
    union all
    select
        experiment_id,
        metric_name,
        'is a ' || kind || ' without denominator_measure' as problem,
        'name the measure that it is divided by' as remedy
    from described
    where
        kind in ({{ kinds_with('has_denominator') }})
        and denominator_measure is null
    union all
    select
        experiment_id,
        metric_name,
        'has a denominator_measure and is a ' || kind as problem,
        'write ' || '{{ kinds_with("has_denominator") | replace("'", "") }}'
        || ' under kind, or leave denominator_measure empty' as remedy
    from described
    where
        kind not in ({{ kinds_with('has_denominator') }})
        and denominator_measure is not null
    union all
    select
        experiment_id,
        metric_name,
        'divides a measure of the events by one of user_measures.csv, or the '
        || 'other way round' as problem,
        'take both from the same place' as remedy
    from described
    where
        denominator_measure is not null
        and is_from_events <> has_denominator_from_events
    union all
    select
        experiment_id,
        metric_name,
        'is a ' || kind || ' without a level in (0, 1)' as problem,
        'write it under quantile, 0.5 for the median' as remedy
    from described
    where
        kind in ({{ kinds_with('has_ranks') }})
        and not coalesce(quantile > 0 and quantile < 1, false)
    union all
    select
        experiment_id,
        metric_name,
        'has a quantile and is a ' || kind as problem,
        'write ' || '{{ kinds_with("has_ranks") | replace("'", "") }}'
        || ' under kind, or leave quantile empty' as remedy
    from described
    where
        kind not in ({{ kinds_with('has_ranks') }})
        and quantile is not null
    union all
    select
        experiment_id,
        metric_name,
        'has a cap that is not in (0, 1)' as problem,
        'write the quantile at which outcomes are capped, such as 0.999, or '
        || 'leave it empty' as remedy
    from described
    where not (cap > 0 and cap < 1)
    union all
    select
        experiment_id,
        metric_name,
        'is a guardrail without a margin in [0, 1)' as problem,
        'write the largest relative loss that does no harm, such as 0.02'
            as remedy
    from described
    where
        role = 'guardrail'
        and not coalesce(margin >= 0 and margin < 1, false)
    union all
    select
        experiment_id,
        metric_name,
        'has a margin that is not in [0, 1)' as problem,
        'write a share such as 0.02, or leave it empty' as remedy
    from described
    where
        role <> 'guardrail'
        and not (margin >= 0 and margin < 1)
    union all
    select
        experiment_id,
        metric_name,
        'measure ' || measure || ' is counted from events and has no '
        || 'day_mode of elapsed or calendar' as problem,
        'write which days its window is counted in' as remedy
    from described
    where
        is_from_events
        and not coalesce(day_mode in ('elapsed', 'calendar'), false)
    union all
    select
        experiment_id,
        metric_name,
        'measure ' || measure || ' is counted from events and its window is '
        || 'missing, or closes before it opens, or opens before assignment'
            as problem,
        'write days after assignment, window_end_day above window_start_day'
            as remedy
    from described
    where
        is_from_events
        and not coalesce(
            window_start_day >= 0 and window_end_day > window_start_day, false
        )
    union all
    select
        experiment_id,
        metric_name,
        'measure ' || measure || ' is not counted from events and has a '
        || 'day_mode or a window' as problem,
        'leave day_mode, window_start_day and window_end_day empty' as remedy
    from described
    where
        is_own
        and not is_from_events
        and (
            day_mode is not null
            or window_start_day is not null
            or window_end_day is not null
        )
),

final as (
    select
        coalesce(experiment_id, '(no experiment_id)') as experiment_id,
        metric_name,
        problem,
        remedy
    from mistakes
)

select * from final
