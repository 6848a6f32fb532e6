{#-
    A part, from 0, that a text falls into by its fingerprint: the same on every
    engine, in parts of equal size but for one in 4,096. The first three digits
    of the md5 are read as a number.

    {{ fold_number('user_id', 5) }}
    'u1'  ->  0
-#}
{% macro fold_number(text, parts) -%}
    {%- set digit = "cast(position(substr(md5(" ~ text ~ "), {0}, 1)"
        ~ " in '0123456789abcdef') - 1 as integer)" -%}
    (
        256 * {{ digit.format(1) }}
        + 16 * {{ digit.format(2) }}
        + {{ digit.format(3) }}
    ) % {{ parts }}
{%- endmacro %}
