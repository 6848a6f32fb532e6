{#-
    Grain: one row per new user who explored a genre: how diverse the valid
    plays of the first days were.

    With p the share of plays in a genre (a play shared out among the genres of
    its title), the effective number of genres of order 1 is exp(-sum p ln p)
    and of order 2 is 1 / sum p^2 (Hill 1973); of order 0 it is the number of
    genres. They are equal when all genres are played equally. Evenness is
    ln(order 1) / ln(order 0) (Pielou 1966), unknown for a single genre.

    All of these grow with the number of plays, so two more are comparable
    between users. Rarefied richness is the expected number of genres in
    `rarefied_play_count` plays drawn from the user's own without replacement,
    sum 1 - C(n - n_g, m) / C(n, m) (Hurlbert 1971), unknown below so many.
    Estimated richness adds the genres not yet met by the bias-corrected form
    of Chao (1987), (n - 1) / n * f1 (f1 - 1) / (2 (f2 + 1)), with f1 and f2
    the genres met in one play and in two. Both take plays as the draws, so a
    title of several genres counts once for each.

    Terms are rounded to 1e-12 and summed as whole numbers, so that no sum
    depends on the order of its rows; results keep nine digits.
-#}

with

user_genres as (select * from {{ ref('int_user_genres_counted') }}),

explored as (select * from {{ ref('int_genres_explored') }}),

shares as (
    select
        user_genres.user_id,
        user_genres.early_weight,
        user_genres.early_play_count,
        explored.valid_play_count
        - explored.unknown_genre_play_count as known_play_count,
        cast(user_genres.early_weight as {{ data_type('double') }})
        / nullif(sum(user_genres.early_weight) over (
            partition by user_genres.user_id
        ), 0) as genre_share
    from user_genres
    inner join explored
        on user_genres.user_id = explored.user_id
    where user_genres.early_play_count > 0
),

chances as (
    select
        *,
        case
            when known_play_count >= {{ var('rarefied_play_count') }}
                then {{ drawn_chance(
                    'early_play_count',
                    'known_play_count',
                    var('rarefied_play_count')
                ) }}
        end as drawn_chance
    from shares
),

summed as (
    select
        user_id,
        max(known_play_count) as known_play_count,
        cast(count(*) as integer) as genre_count,
        count(*) filter (where early_play_count = 1) as single_count,
        count(*) filter (where early_play_count = 2) as double_count,
        sum(early_weight) as weight,
        sum(
            cast(early_weight as {{ exact_integer() }})
            * cast(early_weight as {{ exact_integer() }})
        ) as squared_weight,
        sum(
            cast(
                round(-genre_share * ln(nullif(genre_share, 0)) * 1e12)
                as bigint
            )
        ) as entropy,
        sum(cast(round(drawn_chance * 1e12) as bigint)) as drawn_genres
    from chances
    group by user_id
),

effective as (
    select
        *,
        round(
            1e9 * exp({{ as_double('entropy') }} / 1e12)
        ) / 1e9 as effective_genres,
        round(
            1e9 * (
                {{ as_double('weight') }} * {{ as_double('weight') }}
                / nullif({{ as_double('squared_weight') }}, 0)
            )
        ) / 1e9 as dominant_genres
    from summed
),

final as (
    select
        -- keys
        user_id,

        -- measures
        effective_genres,
        dominant_genres,
        case
            when genre_count > 1
                then round(
                    1e9 * (
                        ln(nullif(effective_genres, 0)) / ln(genre_count)
                    )
                ) / 1e9
        end as evenness,
        round(
            1e9 * ({{ as_double('drawn_genres') }} / 1e12)
        ) / 1e9 as rarefied_genres,
        round(
            1e9 * (
                genre_count
                + {{ rate('known_play_count - 1', 'known_play_count') }}
                * single_count
                * (single_count - 1)
                / (2 * (double_count + 1))
            )
        ) / 1e9 as estimated_genres
    from effective
)

select * from final
