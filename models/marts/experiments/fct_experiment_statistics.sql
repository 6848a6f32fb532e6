{#-
    Grain: one row per experiment, metric, version of its outcome, policy on
    users in two variants, breakdown and variant: all that a test needs.

    Only users whose window is loaded whole are in the statistics; the others
    are counted beside them. Whole numbers are summed exactly, in one pass over
    the users of each segment, and the sums are added up to every breakdown, so
    that moments depend on no order and lose no digits. Fractions have no exact
    sum of squares: their moments are taken from the users directly. Users are
    read once for each of these, and nowhere twice by one name: engines would
    copy all of them first.
-#}

{% set parts = {
    'value': 'outcome_value',
    'denominator': 'denominator_value',
    'covariate': 'covariate_value',
    'covariate_denominator': 'covariate_denominator_value',
} -%}
{% set names = parts | list -%}
{% set pairs = [] -%}
{% for left in names -%}
    {% for right in names[loop.index0:] -%}
        {% do pairs.append([left, right]) -%}
    {% endfor -%}
{% endfor -%}
{% set mean_pairs = [
    ['value', 'value'], ['value', 'covariate'], ['covariate', 'covariate']
] -%}
{% set flags = {'history': 'has_history', 'reached': 'is_reached'} -%}
{% set flagged_pairs = [
    ['value', 'history'], ['covariate', 'history'], ['value', 'reached']
] -%}
{% set breakdown = [
    'experiment_id',
    'metric_name',
    'outcome_version',
    'policy',
    'dimension',
    'dimension_value',
    'variant',
] | join(', ') -%}

with

versions as (select * from {{ ref('fct_experiment_versions') }}),

ratio_versions as (select * from {{ ref('fct_experiment_versions') }}),

fraction_versions as (select * from {{ ref('fct_experiment_versions') }}),

outcomes as (select * from {{ ref('fct_experiment_outcomes') }}),

assignments as (select * from {{ ref('fct_experiment_assignments') }}),

caps as (select * from {{ ref('fct_experiment_caps') }}),

metrics as (select * from {{ ref('stg_reference__metrics') }}),

variants as (select * from {{ ref('stg_reference__variants') }}),

segments as (select * from {{ ref('int_segments_described') }}),

-- Users alike in all that any breakdown or policy asks of them.
cells as (
    select
        metric_name,
        outcome_version,
        cell_number,
        {% for left, right in mean_pairs -%}
            sum(
                cast(round({{ left }}) as bigint)
                * cast(round({{ right }}) as bigint)
            )
                as sum_{{ left }}_{{ right }},
        {% endfor -%}
        sum(cast(round(value) as bigint)) as sum_value,
        sum(cast(round(covariate) as bigint)) as sum_covariate,
        count(*) as unit_count
    from versions
    where is_whole
    group by metric_name, outcome_version, cell_number
),

ratios as (
    select
        metric_name,
        outcome_version,
        cell_number,
        {% for left, right in pairs if [left, right] not in mean_pairs -%}
            sum(
                cast(round({{ left }}) as bigint)
                * cast(round({{ right }}) as bigint)
            )
                as sum_{{ left }}_{{ right }},
        {% endfor -%}
        sum(cast(round(denominator) as bigint)) as sum_denominator,
        sum(cast(round(covariate_denominator) as bigint))
            as sum_covariate_denominator
    from ratio_versions
    where is_whole and denominator is not null
    group by metric_name, outcome_version, cell_number
),

breakdowns as (
    select
        *,
        'first_assignment' as policy
    from segments
    union all
    select
        *,
        'exclude_mixed' as policy
    from segments
    where dimension = 'all'
    union all
    select
        *,
        'drop_mismatch' as policy
    from segments
    where dimension = 'all'
),

described as (
    select
        experiment_id,
        variant,
        segment_number,
        is_mixed,
        is_switched,
        is_reached,
        4 * arm_cell_number as first_number
    from assignments
    group by
        experiment_id,
        variant,
        segment_number,
        is_mixed,
        is_switched,
        is_reached,
        arm_cell_number
),

-- Whether there is a history, and whether the window is loaded whole.
states as (
    select
        number,
        number >= 2 as has_history,
        number in (1, 3) as is_mature
    from ({{ integers('number', 3) }}) as numbers
),

places as (
    select
        described.experiment_id,
        described.variant,
        described.is_reached,
        described.first_number + states.number as cell_number,
        states.has_history,
        states.is_mature,
        breakdowns.policy,
        breakdowns.dimension,
        breakdowns.dimension_value
    from described
    cross join states
    inner join breakdowns
        on
            described.experiment_id = breakdowns.experiment_id
            and described.segment_number = breakdowns.segment_number
    where
        breakdowns.policy = 'first_assignment'
        or (breakdowns.policy = 'exclude_mixed' and not described.is_mixed)
        or (breakdowns.policy = 'drop_mismatch' and not described.is_switched)
),

cells_broken_down as (
    select
        places.*,
        cells.metric_name,
        cells.outcome_version,
        cells.unit_count,
        {% for left, right in pairs -%}
            {{ 'cells' if [left, right] in mean_pairs else 'ratios' }}.
            {{- 'sum_' ~ left ~ '_' ~ right }},
        {% endfor -%}
        cells.sum_value,
        cells.sum_covariate,
        ratios.sum_denominator,
        ratios.sum_covariate_denominator
    from cells
    inner join places
        on cells.cell_number = places.cell_number
    left join ratios
        on
            cells.metric_name = ratios.metric_name
            and cells.outcome_version = ratios.outcome_version
            and cells.cell_number = ratios.cell_number
),

fractions_broken_down as (
    select
        places.*,
        fraction_versions.metric_name,
        fraction_versions.outcome_version,
        fraction_versions.value,
        fraction_versions.denominator,
        fraction_versions.covariate,
        fraction_versions.covariate_denominator
    from fraction_versions
    inner join places
        on fraction_versions.cell_number = places.cell_number
    where not fraction_versions.is_whole
),

sums as (
    select
        {{ breakdown }},
        {% for flag, column in flags.items() -%}
            coalesce(
                sum(unit_count) filter (where is_mature and {{ column }}), 0
            ) as {{ flag }}_count,
        {% endfor -%}
        {% for name in names -%}
            cast(
                sum(sum_{{ name }}) filter (where is_mature)
                as {{ exact_integer() }}
            ) as sum_{{ name }},
        {% endfor -%}
        {% for left, right in pairs -%}
            cast(
                sum(sum_{{ left }}_{{ right }}) filter (where is_mature)
                as {{ exact_integer() }}
            ) as sum_{{ left }}_{{ right }},
        {% endfor -%}
        {% for name, flag in flagged_pairs -%}
            -- Nobody flagged is a sum of 0, and no covariate is none at all.
            cast(
                sum(
                    case
                        when {{ flags[flag] }} then sum_{{ name }}
                        else 0 * sum_{{ name }}
                    end
                ) filter (where is_mature)
                as {{ exact_integer() }}
            ) as sum_{{ name }}_{{ flag }},
        {% endfor -%}
        coalesce(sum(unit_count) filter (where is_mature), 0) as unit_count,
        coalesce(sum(unit_count) filter (where not is_mature), 0)
            as immature_count
    from cells_broken_down
    group by {{ breakdown }}
),

whole_moments as (
    select
        {{ breakdown }},
        {% for flag in flags -%}
            {{ rate(flag ~ '_count', 'unit_count') }} as {{ flag }}_rate,
        {% endfor -%}
        {% for name in names -%}
            {{ rate('sum_' ~ name, 'unit_count') }} as {{ name }}_mean,
        {% endfor -%}
        {% for left, right in pairs -%}
            {{ sample_variance(
                'unit_count',
                'sum_' ~ left,
                'sum_' ~ right,
                'sum_' ~ left ~ '_' ~ right
            ) }} as {{ left }}_{{ right }}_covariance,
        {% endfor -%}
        {% for name, flag in flagged_pairs -%}
            {{ sample_variance(
                'unit_count',
                'sum_' ~ name,
                flag ~ '_count',
                'sum_' ~ name ~ '_' ~ flag
            ) }} as {{ name }}_{{ flag }}_covariance,
        {% endfor -%}
        unit_count,
        immature_count
    from sums
),

fraction_moments as (
    select
        {{ breakdown }},
        {% for flag, column in flags.items() -%}
            avg(case when {{ column }} then 1e0 else 0e0 end) filter (
                where is_mature
            ) as {{ flag }}_rate,
        {% endfor -%}
        {% for name in names -%}
            avg({{ name }}) filter (where is_mature) as {{ name }}_mean,
        {% endfor -%}
        {% for left, right in pairs -%}
            covar_samp({{ left }}, {{ right }}) filter (where is_mature)
                as {{ left }}_{{ right }}_covariance,
        {% endfor -%}
        {% for name, flag in flagged_pairs -%}
            covar_samp(
                {{ name }}, case when {{ flags[flag] }} then 1e0 else 0e0 end
            ) filter (where is_mature) as {{ name }}_{{ flag }}_covariance,
        {% endfor -%}
        count(*) filter (where is_mature) as unit_count,
        count(*) filter (where not is_mature) as immature_count
    from fractions_broken_down
    group by {{ breakdown }}
),

moments as (
    select * from whole_moments
    union all
    select * from fraction_moments
),

above_caps as (
    select
        outcomes.metric_name,
        outcomes.cell_number,
        count(*) as capped_count
    from outcomes
    inner join caps
        on
            outcomes.experiment_id = caps.experiment_id
            and outcomes.metric_name = caps.metric_name
    where outcomes.outcome_value > caps.outcome_value_cap
    group by outcomes.metric_name, outcomes.cell_number
),

capped_counts as (
    select
        places.experiment_id,
        above_caps.metric_name,
        places.policy,
        places.dimension,
        places.dimension_value,
        places.variant,
        sum(above_caps.capped_count) as capped_count
    from above_caps
    inner join places
        on above_caps.cell_number = places.cell_number
    where places.is_mature
    group by
        places.experiment_id,
        above_caps.metric_name,
        places.policy,
        places.dimension,
        places.dimension_value,
        places.variant
),

final as (
    select
        -- keys
        moments.experiment_id,

        -- attributes
        moments.metric_name,
        moments.outcome_version,
        moments.policy,
        moments.dimension,
        moments.dimension_value,
        metrics.kind,
        metrics.role,
        metrics.direction,
        moments.variant,
        variants.is_control,

        -- measures
        metrics.margin,
        metrics.cap,
        case
            when moments.outcome_version = 'capped'
                then caps.outcome_value_cap
        end as cap_value,
        cast(moments.unit_count as integer) as unit_count,
        cast(moments.immature_count as integer) as immature_count,
        case
            when moments.outcome_version = 'capped'
                then cast(coalesce(capped_counts.capped_count, 0) as integer)
            else 0
        end as capped_count,
        moments.history_rate,
        moments.reached_rate,
        {% for name in names -%}
            moments.{{ name }}_mean,
        {% endfor -%}
        {% for left, right in pairs -%}
            moments.{{ left }}_{{ right }}_covariance
            {%- if left == right %} as {{ left }}_variance{% endif %},
        {% endfor -%}
        moments.value_history_covariance,
        moments.covariate_history_covariance,
        moments.value_reached_covariance
    from moments
    inner join metrics
        on
            moments.experiment_id = metrics.experiment_id
            and moments.metric_name = metrics.metric_name
    inner join variants
        on
            moments.experiment_id = variants.experiment_id
            and moments.variant = variants.variant
    left join caps
        on
            moments.experiment_id = caps.experiment_id
            and moments.metric_name = caps.metric_name
    left join capped_counts
        on
            moments.experiment_id = capped_counts.experiment_id
            and moments.metric_name = capped_counts.metric_name
            and moments.policy = capped_counts.policy
            and moments.dimension = capped_counts.dimension
            and moments.dimension_value = capped_counts.dimension_value
            and moments.variant = capped_counts.variant
)

select * from final
