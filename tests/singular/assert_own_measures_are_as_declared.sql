{#-
    A metric's measure is one of the events or has lines in user_measures.csv;
    those of a proportion are 0 and 1. A failure returns a row per mistake, with
    its remedy.
-#}

with

metrics as (select * from {{ ref('stg_reference__metrics') }}),

measures as (select * from {{ ref('int_measures_classified') }}),

declared as (select * from {{ ref('int_measures_declared') }}),

wanted as (
    select
        experiment_id,
        metric_name,
        measure,
        kind in ({{ kinds_with('is_share') }}) as is_proportion
    from metrics
    union all
    select
        experiment_id,
        metric_name,
        denominator_measure as measure,
        false as is_proportion
    from metrics
),

measured as (
    select
        experiment_id,
        measure,
        count(*) as line_count,
        count(*) filter (where value not in (0, 1)) as other_count
    from measures
    where row_verdict = 'canonical'
    group by experiment_id, measure
),

mistakes as (
    select
        wanted.experiment_id,
        wanted.metric_name,
        'measure ' || wanted.measure || ' is none of the events'' and has no '
        || 'line that stands in user_measures.csv' as problem,
        'write one of {{ event_measures("names") }}, or a '
        || 'declared type of event and _events, such as like_events, or load '
        || 'it under user_measures' as remedy
    from wanted
    left join declared
        on wanted.measure = declared.measure
    left join measured
        on
            wanted.experiment_id = measured.experiment_id
            and wanted.measure = measured.measure
    where
        wanted.measure is not null
        and declared.measure is null
        and measured.line_count is null
    union all
    select
        wanted.experiment_id,
        wanted.metric_name,
        'is a proportion, and '
        || cast(measured.other_count as {{ data_type('varchar') }})
        || ' values of ' || wanted.measure || ' are neither 0 nor 1'
            as problem,
        'write mean under kind, or load 0 for no and 1 for yes' as remedy
    from wanted
    inner join measured
        on
            wanted.experiment_id = measured.experiment_id
            and wanted.measure = measured.measure
    where wanted.is_proportion and measured.other_count > 0
)

select * from mistakes
