{#-
    The measures of a user that come from the events, each declared in one block
    and nowhere else. To add one, add a block: what it sums (`amount`, a whole
    number) over which rows (`events` of int_events_bounded or `plays` of
    int_plays_measured, `where`), and when each amount counts (`at`). How often
    a user had an event of a declared type is a measure without a block, called
    like the type: `like_events`.

    form:  `amounts` for the amounts of all of them, `declared` for their names,
           units and descriptions, `names` for a list to read

    {{ event_measures('declared') }}
-#}
{% macro event_measures(form) -%}
    {%- set measures = {
        'active': {
            'unit': 'events',
            'description': 'Events of the types that make a user active',
            'amount': '1',
            'rows': 'events',
            'where': 'is_active',
            'at': 'event_at',
        },
        'plays': {
            'unit': 'plays',
            'description': 'Plays that began, of any length',
            'amount': '1',
            'rows': 'plays',
            'where': 'true',
            'at': 'started_at',
        },
        'sessions': {
            'unit': 'sessions',
            'description': 'Sessions that began',
            'amount': '1',
            'rows': 'events',
            'where': 'is_session_start',
            'at': 'event_at',
        },
        'valid_plays': {
            'unit': 'plays',
            'description': 'Plays that lasted long enough to count as a choice',
            'amount': '1',
            'rows': 'plays',
            'where': 'is_valid_play',
            'at': 'started_at',
        },
        'watched_seconds': {
            'unit': 'seconds',
            'description': 'Time watched in the plays that began',
            'amount': 'watched_seconds',
            'rows': 'plays',
            'where': 'true',
            'at': 'started_at',
        },
    } -%}
    {%- set fields = ['amount', 'at', 'description', 'rows', 'unit', 'where'] -%}
    {%- for measure, block in measures.items()
        if block | sort != fields or block.rows not in ['events', 'plays'] -%}
        {{ exceptions.raise_compiler_error(
            "event_measures: the block of '" ~ measure ~ "' must say "
            ~ fields | join(', ') ~ ', with rows of events or plays'
        ) }}
    {%- endfor -%}
    {%- for measure, block in measures.items() %}
    {%- if form == 'names' -%}
    {{ measure }}{{ '' if loop.last else ', ' }}
    {%- elif form == 'amounts' %}
    select
        user_key,
        '{{ measure }}' as measure,
        cast({{ block.amount }} as bigint) as amount,
        {{ block.at }} as measured_at
    from {{ block.rows }}
    where {{ block.where }}
    {%- else %}
    select
        '{{ measure }}' as measure,
        cast(null as {{ data_type('varchar') }}) as event_type,
        '{{ block.unit }}' as unit,
        '{{ block.description }}' as description
    {%- endif %}
    {%- if form != 'names' and not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
