{{ config(
    severity='error' if var('freshness_check') == 'error' else 'warn',
    enabled=var('freshness_check') != 'ignore'
) }}

{#-
    Of a log that goes on, the last event is no older than `freshness_days` when
    the build begins. 0, for a log of the past, asks nothing.
-#}

{%- set limit = var('freshness_days') %}

with

observation as (select * from {{ ref('fct_observation') }}),

aged as (
    select
        last_event_at,
        {{ seconds_between(
            'last_event_at',
            "cast('" ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S') ~ "' as "
            ~ data_type('timestamp') ~ ')'
        ) }} as age_seconds
    from observation
),

final as (
    select
        'the last event is of '
        || cast(last_event_at as {{ data_type('varchar') }}) || ', '
        || cast(
            cast(floor(age_seconds / 86400) as integer)
            as {{ data_type('varchar') }}
        )
        || ' days before this build' as problem,
        'load newer files, or raise freshness_days' as remedy
    from aged
    where
        age_seconds
        > cast(
            {{ limit * 86400 if limit else 'null' }}
            as {{ data_type('double') }}
        )
)

select * from final
