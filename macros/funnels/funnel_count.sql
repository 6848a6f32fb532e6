{#- For `funnel`: how many events bear one of the names, to be windowed. -#}
{% macro funnel_count(names) -%}
    count(case when event_name in ('{{ names | join("', '") }}') then 1 end)
{%- endmacro %}
