{#-
    A bound of a survival rate's interval, symmetric on the scale of
    ln(-ln(rate)) and so inside (0, 1); null where the rate is 1. The level
    comes from `interval_z`.

    log_survival:  ln of the rate
    log_variance:  Greenwood's sum of d / (n (n - d)), the variance of that

    {{ log_log_bound('log_survival', 'log_variance', 'low') }}
    ln 0.5, 0.04, interval_z 1.96  ->  0.295

    M. Greenwood (1926), "The natural duration of cancer"; J. D. Kalbfleisch
    and R. L. Prentice (1980), "The Statistical Analysis of Failure Time Data",
    section 1.3.
-#}
{% macro log_log_bound(log_survival, log_variance, side) -%}
    case
        when {{ log_survival }} < 0
            then exp(
                {{ log_survival }} * exp(
                    {{ '-' if side == 'low' else '' -}}
                    {{ as_double(var('interval_z')) }}
                    * sqrt({{ log_variance }}) / {{ log_survival }}
                )
            )
    end
{%- endmacro %}
