{#-
    The measures of a user that come from the events, as a list for `in`.

    measure in ({{ event_measures() }})
-#}
{% macro event_measures() -%}
    'active', 'plays', 'sessions', 'valid_plays', 'watched_seconds'
{%- endmacro %}
