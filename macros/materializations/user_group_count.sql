{#-
    Into how many groups of users the work on events is cut: so many as
    `user_group_count` says, or, where that is 0, as it takes for a group to hold
    no more than half of the engine's memory, because two models are made at
    once.

    event_bytes:  about what the work on an event holds in memory
-#}
{% macro user_group_count(event_bytes) %}
    {{ return(var('user_group_count') or run_query(
        "select ceil(" ~ event_bytes ~ " * count(*) / (parse_formatted_bytes("
        ~ "current_setting('memory_limit')) / 2.0)) from "
        ~ relation_of('events')
    ).rows[0][0] | int) }}
{% endmacro %}
