"""What was planted in a simulated service, as the marts count it."""

import pytest

RETENTION_DAYS = (1, 7, 14, 30)


def single(connection, query):
    return connection.execute(query).fetchone()[0]


def cohorts(connection):
    """Cohorts by days since the first one, with everybody retained."""
    rows = connection.execute(
        "select cohort_date - min(cohort_date) over (), period_number,"
        " cohort_size, retained_users from marts.fct_retention_triangle"
        " where cohort_grain = 'day' order by all"
    ).fetchall()
    found = {}
    for cohort, number, size, retained in rows:
        cell = found.setdefault(str(cohort), {"users": size})
        if number in RETENTION_DAYS:
            cell[f"retained_d{number}"] = retained
    return found


def retention(connection):
    return {
        str(number): {"eligible": eligible, "retained": retained}
        for number, eligible, retained in connection.execute(
            "select from_day_number, eligible_users, retained_users"
            " from marts.fct_retention_summary where dimension = 'all'"
            " and retention_type = 'on_day' and day_mode = 'calendar'"
        ).fetchall()
    }


def genres(connection):
    """Users by genres explored; a few explored none, and are not planted."""
    return {
        label: {
            "users": size,
            "eligible_d7": eligible,
            "retained_d7": retained,
        }
        for label, size, eligible, retained in connection.execute(
            "select genres_explored, cohort_size, eligible_users,"
            " retained_users from marts.fct_retention_by_genres"
            " where dimension = 'all' and day_number = 7"
        ).fetchall()
    }


def arms(connection, experiment):
    """Users, reached users, sum and sum of squares by variant.

    The sums come back out of mean and variance: they are whole numbers.
    """
    found = {}
    for variant, units, reached, mean, variance in connection.execute(
        "select variant, unit_count, reached_users, value_mean, value_variance"
        " from marts.fct_experiment_statistics"
        " inner join marts.fct_experiment_arms"
        " using (experiment_id, variant, dimension, dimension_value)"
        " where experiment_id = ? and dimension = 'all' and role = 'primary'"
        " and policy = 'first_assignment'",
        [experiment],
    ).fetchall():
        square = variance * (units - 1) + units * mean**2
        for total in (units * mean, square):
            assert total == pytest.approx(round(total), rel=1e-12, abs=1e-6)
        found[variant] = units, reached, round(units * mean), round(square)
    return found


def push(connection):
    names = ("users", "reached", "sessions", "sessions_squared")
    return {
        variant: dict(zip(names, numbers, strict=True))
        for variant, numbers in arms(connection, "push_reminders").items()
    }


def onboarding(connection):
    found = {}
    for variant, (users, _, active, square) in arms(
        connection, "onboarding_personalisation"
    ).items():
        assert active == square
        found[variant] = {"users": users, "active_d1": active}
    return found


def mixed_users(connection):
    return dict(
        connection.execute(
            "select experiment_id, cast(sum(mixed_users) as integer)"
            " from marts.fct_experiment_arms where dimension = 'all'"
            " group by all"
        ).fetchall()
    )


def missing_stops(connection):
    """Plays that no pause or skip of their user follows."""
    return single(
        connection,
        "with followed as (select event_type, lead(event_type) over"
        " (partition by user_id order by event_at, event_id) as follower"
        " from marts.fct_streaming_activity) select count(*) from followed"
        " where event_type = 'play'"
        " and coalesce(follower, 'play') not in ('pause', 'skip')",
    )


def observed(column):
    return f"select {column} from marts.fct_observation"


def users_who(condition):
    return f"select count(*) from marts.dim_users where {condition}"


COUNTS = {
    "users": observed("user_count"),
    "titles": observed("title_count"),
    "first_date": observed("cast(observed_from_date as varchar)"),
    "watermark_date": observed("cast(watermark_date as varchar)"),
    "established_users": observed("established_user_count"),
    "never_active_users": observed("never_active_user_count"),
    "never_active_established_users": users_who(
        "is_established and first_active_at is null"
    ),
    "dormant_members": users_who("is_established and active_day_count = 0"),
    "new_users": users_who("not is_established"),
    "never_active_new_users": users_who("not is_established and not is_new"),
    "events": observed("event_count"),
    "plays": observed("play_count"),
    "valid_plays": (
        "select count(*) from marts.fct_streaming_activity where is_valid_play"
    ),
    "sessions": observed("session_count"),
    "missing_stops": missing_stops,
    "mixed_users": mixed_users,
    "cohorts": cohorts,
    "retention": retention,
    "genres": genres,
    "push": push,
    "onboarding": onboarding,
}
# When a line arrives means nothing to the marts.
NOT_IN_THE_WAREHOUSE = {"late_events", "offline_events"}


def counted(connection, name):
    how = COUNTS[name]
    return single(connection, how) if isinstance(how, str) else how(connection)


def reconciliation(connection):
    """Lines of every raw file, in the shape of the planted truth."""
    found = {
        table: {
            "raw_rows": raw,
            "canonical_rows": canonical,
            "set_aside": {},
        }
        for table, raw, canonical, is_reconciled in connection.execute(
            "select table_name, raw_rows, canonical_rows, is_reconciled"
            " from marts.fct_reconciliation"
        ).fetchall()
        if is_reconciled
    }
    for table, reason, count in connection.execute(
        "select table_name, reason, row_count from marts.fct_rejected_rows"
    ).fetchall():
        found[table]["set_aside"][reason] = count
    return found
