{#-
    Grain: one row per dimension of the log, declared or its own, and per pair
    of dimensions that is declared.

    The one list of what numbers are broken down by. A pair is named in the
    order of the alphabet (`country x platform`) and is of the finer unit.
-#}

{{- dimension_refusals(var('dimensions')) }}
{%- set pairs = [] -%}
{%- for dimension in var('dimensions') -%}
    {%- for other in dimension.get('pairs', []) -%}
        {%- set pair = [dimension.name, other] | sort(case_sensitive=true) -%}
        {%- do pairs.append(pair) if pair not in pairs -%}
    {%- endfor -%}
{%- endfor %}

with

segments as (select * from {{ ref('int_segments_classified') }}),

declared as (
    {% for dimension in var('dimensions') -%}
        select
            {{ loop.index }} as place,
            '{{ dimension.name }}' as dimension,
            '{{ dimension.get(
                'label', dimension.name | replace('_', ' ') | capitalize
            ) }}' as label,
            '{{ dimension.unit }}' as dimension_unit,
            {{ dimension.get('settled', false) | lower }} as is_settled,
            {{ dimension.get('bounded', true) | lower }} as is_bounded
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

declared_pairs as (
    {% for first, second in pairs -%}
        select
            {{ loop.index }} as place,
            '{{ first }}' as first_dimension,
            '{{ second }}' as second_dimension
        {{ 'union all' if not loop.last }}
    {% else -%}
        select
            place,
            dimension as first_dimension,
            dimension as second_dimension
        from declared
        where false
    {% endfor %}
),

own as (
    select dimension
    from segments
    where row_verdict = 'canonical'
    group by dimension
),

listed as (
    select
        1 as part,
        place,
        dimension,
        label,
        dimension_unit,
        cast(null as {{ data_type('varchar') }}) as first_dimension,
        cast(null as {{ data_type('varchar') }}) as second_dimension,
        is_settled,
        is_bounded
    from declared
    union all
    select
        2 as part,
        1 as place,
        dimension,
        dimension as label,
        'user' as dimension_unit,
        cast(null as {{ data_type('varchar') }}) as first_dimension,
        cast(null as {{ data_type('varchar') }}) as second_dimension,
        true as is_settled,
        true as is_bounded
    from own
    union all
    select
        3 as part,
        declared_pairs.place,
        first.dimension || ' x ' || second.dimension as dimension,
        first.label || ' x ' || second.label as label,
        case
            when first.dimension_unit = 'user' then second.dimension_unit
            when second.dimension_unit in ('play', 'title')
                then second.dimension_unit
            else first.dimension_unit
        end as dimension_unit,
        first.dimension as first_dimension,
        second.dimension as second_dimension,
        first.is_settled and second.is_settled as is_settled,
        first.is_bounded and second.is_bounded as is_bounded
    from declared_pairs
    inner join declared as first
        on declared_pairs.first_dimension = first.dimension
    inner join declared as second
        on declared_pairs.second_dimension = second.dimension
),

final as (
    select
        -- attributes
        dimension,
        label,
        dimension_unit,
        first_dimension,
        second_dimension,
        is_settled,
        is_bounded,
        first_dimension is not null as is_pair,

        -- measures
        cast(
            row_number() over (
                order by
                    part asc nulls last,
                    place asc nulls last,
                    dimension asc nulls last
            ) as integer
        ) as dimension_number
    from listed
)

select * from final
