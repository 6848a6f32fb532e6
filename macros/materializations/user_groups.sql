{#-
    Conditions that cut the users into groups of about as many events each, of
    which each fits into memory: a list of SQL. Every user is in one group.

    There are as many groups as `user_group_count` says, or, where that is 0, as
    the events need: the joins of a group hold about 400 bytes an event, and a
    model may hold half of the engine's memory, because two are made at once.

    column:  the column of the users' keys
-#}
{% macro user_groups(column) %}
    {% set events = (
        graph.nodes.values()
        | selectattr('name', 'equalto', 'int_events_classified') | first
    ).relation_name %}
    {% set group_count = var('user_group_count') or run_query(
        "select ceil(400 * count(*) / (parse_formatted_bytes("
        ~ "current_setting('memory_limit')) / 2.0)) from " ~ events
    ).rows[0][0] | int %}
    {% if group_count < 2 %}
        {{ return([]) }}
    {% endif %}

    {% set found = run_query(
        "with counted as (select user_key, count(*) as event_count from "
        ~ events ~ " where event_number is not null group by user_key), "
        ~ "reached as (select user_key, (sum(event_count) over (order by "
        ~ "user_key) - 1) / sum(event_count) over () as share from counted) "
        ~ "select max(user_key) from reached group by floor(share * "
        ~ group_count ~ ") order by 1"
    ) %}
    {% set groups = [] %}
    {% for row in found.rows %}
        {% set bounds = [] %}
        {% if not loop.first %}
            {% do bounds.append(column ~ ' > ' ~ found.rows[loop.index0 - 1][0]) %}
        {% endif %}
        {% if not loop.last %}
            {% do bounds.append(column ~ ' <= ' ~ row[0]) %}
        {% endif %}
        {% do groups.append(bounds | join(' and ')) %}
    {% endfor %}
    {{ return(groups) }}
{% endmacro %}
