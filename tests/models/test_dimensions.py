"""Dimensions are declared once: every mart that is broken down has them all."""

from pathlib import Path

import duckdb
import pytest
import yaml
from complete_log import complete_log

ROOT = Path(__file__).parents[2]
DECLARED = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"][
    "dimensions"
]
OWN = {"plan", "region"}
LIMIT = 2
STATUS = {
    "name": "status",
    "label": "Account",
    "unit": "user",
    "column": "subscription_status",
    "pairs": ["device"],
}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dimensions") / "log"
    folder.mkdir()
    complete_log(folder, users=800, panel=60)
    return folder


VARIABLES = {
    "dimensions": [*DECLARED, STATUS],
    "dimension_value_limit": LIMIT,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="module")
def said(log, dbt, folder):
    """What a build says, with its data tests."""
    words = ("build", "--exclude-resource-type", "unit_test")
    done = dbt(log, folder, *words, variables=VARIABLES)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def built(said, folder):  # noqa: ARG001 - said by building
    with duckdb.connect(
        folder / "warehouse.duckdb", read_only=True
    ) as connection:
        yield connection


def test_what_is_folded_is_said_with_its_remedy(built, said):
    folded = built.execute(
        "select dimension, folded_value_count, value_count, folded_user_count"
        " from marts.dim_dimensions where folded_value_count > 0"
    ).fetchall()
    assert len(folded) > 2
    for name, few, every, users in folded:
        assert (
            f"{few} of {every} values of {name}, of {users} users, are shown as"
            " `other`; raise dimension_value_limit" in said
        )


def broken_down(connection):
    """Every mart of facts with a `dimension`, and the dimensions in it."""
    marts = [
        name
        for (name,) in connection.execute(
            "select distinct table_name from information_schema.columns"
            " where table_schema = 'marts' and column_name = 'dimension'"
            " and table_name like 'fct_%'"
        ).fetchall()
    ]
    return {
        mart: {
            name
            for (name,) in connection.execute(
                f"select distinct dimension from marts.{mart}"
            ).fetchall()
        }
        for mart in marts
    }


def test_every_mart_has_a_new_dimension_and_the_logs_own(built):
    found = broken_down(built)
    assert len(found) >= 13
    for mart, dimensions in found.items():
        assert dimensions >= OWN, mart
        # What a treatment may have changed is no segment of a test.
        is_test = mart.startswith("fct_experiment")
        assert ("status" in dimensions) != is_test, mart


def test_pairs_are_in_every_mart_of_their_unit(built):
    for mart, dimensions in broken_down(built).items():
        if mart != "fct_experiment_arms":
            assert "country x platform" in dimensions, mart
        if mart.startswith("fct_session"):
            assert "device x status" in dimensions, mart
        else:
            assert "device" not in dimensions, mart


def test_values_beyond_the_bound_share_one_and_are_counted(built):
    countries = built.execute(
        "select country_code, count(*) from marts.dim_users group by all"
        " order by count(*) desc, country_code"
    ).fetchall()
    folded = countries[LIMIT:]
    assert len(folded) > 1
    counted = built.execute(
        "select value_count, folded_value_count, folded_user_count"
        " from marts.dim_dimensions where dimension = 'country'"
    ).fetchone()
    users = sum(number for _, number in folded)
    assert counted == (len(countries), len(folded), users)
    for mart in broken_down(built):
        values = {
            value
            for (value,) in built.execute(
                f"select dimension_value from marts.{mart}"
                " where dimension = 'country'"
            ).fetchall()
        }
        kept = {name for name, _ in countries[:LIMIT]}
        assert values <= kept | {"other"}, mart


def test_labels_and_order_are_as_declared(built):
    found = built.execute(
        "select dimension, label from marts.dim_dimensions where not is_pair"
        " order by dimension_number"
    ).fetchall()
    names = [row["name"] for row in (*DECLARED, STATUS)]
    assert [name for name, _ in found] == [*names, *sorted(OWN)]
    assert ("status", "Account") in found
    assert ("country", "Country") in found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "platform"}, "platform"),
        ({"name": "all"}, "all"),
        ({"name": "a x b"}, "a x b"),
        ({"unit": "household"}, "household"),
        ({"pairs": ["nowhere"]}, "nowhere"),
        ({"column": "subscripton"}, "column subscripton, and there is none"),
    ],
)
def test_an_unsound_declaration_is_refused(log, dbt, tmp_path, change, message):
    done = dbt(
        log,
        tmp_path,
        *("compile", "--select", "int_dimensions_declared"),
        variables={"dimensions": [*DECLARED, STATUS | change]},
    )
    assert done.returncode
    assert message in done.stdout
    assert "dimension" in done.stdout
