{#-
    Grain: one row per dimension, value and step of the onboarding funnel.

    Everybody is counted, but rates and times rest on the mature: on users whose
    whole window is loaded, whether or not they converted. To leave out only the
    pending would keep the quick among the young, drop the slow, and flatter
    every rate. No step comes before the first, so that one has no rate of it.

    A value that nobody entered from keeps its rows, with zeros and without
    rates; so does `all` in a log that knows no sign-ups.
-#}

with

attempts as (select * from {{ ref('fct_onboarding_attempts') }}),

dimensions as (select * from {{ ref('int_users_broken_down') }}),

counted as (
    select
        {% for name in var('onboarding_steps') -%}
            {%- set k = loop.index -%}
            count(*) filter (where attempts.reached_step_count >= {{ k }})
                as reached_{{ k }},
            count(*) filter (
                where
                attempts.reached_step_count = {{ k }}
                and attempts.state_name = 'pending'
            ) as pending_after_{{ k }},
            count(*) filter (
                where
                attempts.is_mature and attempts.reached_step_count >= {{ k }}
            ) as mature_reached_{{ k }},
            {% if not loop.first -%}
                percentile_cont(0.5) within group (
                    order by
                        case
                            when attempts.is_mature then {{ seconds_between(
                                'attempts.step_' ~ (k - 1) ~ '_at',
                                'attempts.step_' ~ k ~ '_at'
                            ) }}
                        end asc nulls last
                ) as median_seconds_{{ k }},
            {% endif -%}
        {% endfor -%}
        dimensions.dimension,
        dimensions.dimension_value
    from dimensions
    left join attempts
        on dimensions.user_id = attempts.user_id
    where dimensions.dimension_unit = 'user'
    group by dimensions.dimension, dimensions.dimension_value
),

steps as (
    {% for name in var('onboarding_steps') -%}
        {%- set k = loop.index -%}
        select
            dimension,
            dimension_value,
            '{{ name }}' as step_name,
            {{ k }} as step_number,
            {% if loop.first -%}
                reached_1 as entered_users,
                reached_1 as reached_users,
                0 as pending_users,
                mature_reached_1 as mature_entered_users,
                mature_reached_1 as mature_reached_users,
                cast(null as bigint) as compared_users,
                cast(null as {{ data_type('double') }}) as median_seconds,
            {%- else -%}
                reached_{{ k - 1 }} as entered_users,
                reached_{{ k }} as reached_users,
                pending_after_{{ k - 1 }} as pending_users,
                mature_reached_{{ k - 1 }} as mature_entered_users,
                mature_reached_{{ k }} as mature_reached_users,
                mature_reached_{{ k - 1 }} as compared_users,
                median_seconds_{{ k }} as median_seconds,
            {%- endif %}
            mature_reached_1 as mature_users
        from counted
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select
        -- attributes
        dimension,
        dimension_value,
        step_name,

        -- measures
        cast(step_number as integer) as step_number,
        cast(entered_users as integer) as entered_users,
        cast(reached_users as integer) as reached_users,
        cast(pending_users as integer) as pending_users,
        cast(entered_users - reached_users - pending_users as integer)
            as dropped_users,
        cast(mature_entered_users as integer) as mature_entered_users,
        cast(mature_reached_users as integer) as mature_reached_users,
        {{ rate('mature_reached_users', 'compared_users') }} as step_rate,
        {{ wilson_bound('mature_reached_users', 'compared_users', 'low') }}
            as ci_low,
        {{ wilson_bound('mature_reached_users', 'compared_users', 'high') }}
            as ci_high,
        {{ rate('mature_reached_users', 'mature_users') }} as total_rate,
        median_seconds
    from steps
)

select * from final
