{#-
    Conditions that cut the users into groups of about as many events each: a
    list of SQL. Every user is in one group, and rows of no user in the first.

    column:  the column of the users' keys
    events:  a table of events, with `user_key`
    count:   how many groups; fewer where users have very many events
-#}
{% macro user_groups(column, events, count) %}
    {% set found = run_query(
        "with counted as (select user_key, count(*) as event_count from "
        ~ events ~ " where user_key is not null group by user_key), "
        ~ "reached as (select user_key, (sum(event_count) over (order by "
        ~ "user_key) - 1) / sum(event_count) over () as share from counted) "
        ~ "select max(user_key) from reached group by floor(share * "
        ~ count ~ ") order by 1"
    ) %}
    {% set groups = [] %}
    {% for row in found.rows[:-1] %}
        {% set after = column ~ ' > ' ~ found.rows[loop.index0 - 1][0] ~ ' and '
            if not loop.first else '' %}
        {% do groups.append(after ~ column ~ ' <= ' ~ row[0]) %}
    {% endfor %}
    {% if not groups %}
        {{ return(['true']) }}
    {% endif %}
    {% do groups.append(column ~ ' > ' ~ found.rows[-2][0]) %}
    {% do groups.insert(
        0, '(' ~ column ~ ' is null or ' ~ groups.pop(0) ~ ')'
    ) %}
    {{ return(groups) }}
{% endmacro %}
