{#-
    Whether a new user takes part in the comparison by genres explored, or the
    first thing against it. All of it is known at the end of the window, but
    whether the day to come is loaded.

    {{ landmark_status('is_eligible') }}
    true, with 5 valid plays of 2 genres  ->  'compared'
-#}
{% macro landmark_status(is_eligible) -%}
    case
        when not {{ is_eligible }} then 'not_observed'
        when valid_play_count = 0 then 'no_valid_play'
        when genre_count = 0 then 'no_genre'
        when not has_enough_plays then 'too_few_plays'
        else 'compared'
    end
{%- endmacro %}
