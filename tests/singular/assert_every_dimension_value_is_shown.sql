{{ config(severity='warn') }}

{#-
    No failure but worth saying: values of a dimension share `other`, because
    there are more than `dimension_value_limit`.
-#}

with

dimensions as (select * from {{ ref('dim_dimensions') }}),

final as (
    select
        dimension,
        cast(folded_value_count as {{ data_type('varchar') }})
        || ' of ' || cast(value_count as {{ data_type('varchar') }})
        || ' values of ' || dimension || ', of '
        || cast(folded_user_count as {{ data_type('varchar') }})
        || ' users, are shown as `other`' as problem,
        'raise dimension_value_limit to tell more of them apart' as remedy
    from dimensions
    where folded_value_count > 0
)

select * from final
