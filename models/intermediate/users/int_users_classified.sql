{#-
    Grain: one row per readable line of the users file, with its verdict.

    A user listed twice is counted once: the earliest sign-up stands, and the
    remaining columns break ties so that the order of lines never matters.
    Models of events know a user by `user_key`, a whole number.
-#}

with

users as (select * from {{ ref('stg_service__users') }}),

numbered as (
    select
        *,
        row_number() over (
            partition by user_id
            order by
                signed_up_at asc nulls last,
                platform asc nulls last,
                country_code asc nulls last,
                subscription_status asc nulls last,
                acquisition_channel asc nulls last
        ) as copy_number
    from users
),

-- Keys of the users that stand, in the order of their ids.
keyed as (
    select
        *,
        row_number() over (
            partition by user_id is not null and copy_number = 1
            order by user_id asc nulls last
        ) as place
    from numbered
),

final as (
    select
        -- keys
        user_id,
        case
            when user_id is not null and copy_number = 1
                then cast(place as integer)
        end as user_key,

        -- attributes
        coalesce(platform, 'unknown') as platform,
        coalesce(country_code, 'unknown') as country_code,
        coalesce(subscription_status, 'unknown') as subscription_status,
        coalesce(acquisition_channel, 'unknown') as acquisition_channel,
        case when user_id is null then 'missing_key' end as reject_reason,
        case
            when user_id is null then 'rejected'
            when copy_number > 1 then 'duplicate'
            else 'canonical'
        end as row_verdict,

        -- times
        signed_up_at
    from keyed
)

select * from final
