"""Every query keeps to what DuckDB, Spark and PostgreSQL read alike."""

import re
from functools import cache

import pytest
from portable_sql import RULES, main, problems, problems_of
from rendering import queries, render

QUERIES = queries()

# What the lint must refuse, by the rule that refuses it: first what has another
# value elsewhere without a word, then what another engine does not know.
REFUSED = {
    "functions": [
        "select log(x) from t",
        "select log(2, x) from t",
        "select arg_max(x, y) from t",
        "select max_by(x, y) from t",
        "select min_by(x, y) from t",
        "select any_value(x) from t",
        "select median(x) from t",
        "select mode(x) from t",
        "select quantile_cont(x, 0.5) from t",
        "select skewness(x), kurtosis(x) from t",
        "select concat('a', x) from t",
        "select regexp_replace(x, 'a', 'b') from t",
        "select hash(x) from t",
        "select sha256(x) from t",
        "select array_agg(x order by y asc nulls last) from t",
        "select string_agg(x, ',') from t",
        "select list_sum(x) from t",
        "select epoch_us(x) from t",
        "select epoch(x) from t",
        "select date_diff('hour', x, y) from t",
        "select datediff('month', x, y) from t",
        "select strptime(x, '%Y') from t",
        "select strftime(x, '%Y') from t",
        "select extract(dow from x) from t",
        "select date_part('dow', x) from t",
        "select try_cast(x as integer) from t",
        "select count_if(x) from t",
        "select approx_count_distinct(x) from t",
        "select unnest(x) from t",
        "select x from range(10) as r (x)",
        "select x from generate_series(1, 2) as r (x)",
        "select current_date as today from t",
        "select now() from t",
        "select stddev(x) from t",
        "select round(x, 9) from t",
        "select if(a, 1, 2) from t",
        "select columns('a') from t",
        "select x from t where (a, b) = any(select c from u)",
    ],
    "operators": [
        "select x::integer from t",
        "select a // nullif(b, 0) from t",
        "select a ^ 2 from t",
        "select a ** 2 from t",
        "select a & b from t",
        "select [1, 2] from t",
        "select {'a': 1} from t",
        "select x -> 'a' from t",
        "select x from t where a ~ 'b'",
        "select x from t where a == b",
        "select x from t where a like 'b\\_%'",
        'select "x" from t',
    ],
    "null_order": [
        "select x from t order by x",
        "select x from t order by x desc",
        "select x from t order by x asc nulls last, y desc",
        "select row_number() over (order by x) from t",
        "select sum(x) over (order by x rows unbounded preceding) from t",
        "select sum(x) over w from t window w as (partition by y order by x)",
        "select percentile_cont(0.5) within group (order by x) from t",
    ],
    "window_names": [
        "select sum(x) over w - y from t window w as (partition by z)",
        "select sum(x) over w + y from t window w as (partition by z)",
        "select (2 * sum(x) over w / nullif(y, 0)) from t"
        " window w as (partition by z)",
    ],
    "types": [
        "select cast(x as varchar) from t",
        "select cast(x as text) from t",
        "select cast(x as double) from t",
        "select cast(x as float) from t",
        "select cast(x as real) from t",
        "select cast(x as timestamp) from t",
        "select cast(x as hugeint) from t",
        "select cast(x as decimal) from t",
        "select cast(x as integer[]) from t",
        "select timestamp '2026-01-05 00:00:00' as x from t",
    ],
    "casts": [
        "select cast(x as integer) from t",
        "select cast(2.7 as integer) from t",
        "select cast(playback_speed as bigint) from int_events_classified",
        "select cast(sum(x / 2) as bigint) from t",
        "select cast(round(x, 1) as integer) from t",
        "select cast(case when a then 1 else b end as integer) from t",
        "select cast(coalesce(x, 0) as {{ exact_integer() }}) from t",
        "select cast('2.7' as integer) from t",
        "select cast(day_count * 0.5 as integer) from t",
    ],
    "division": [
        "select a / b from t",
        "select 1 / 0 from t",
        "select a / sum(b) over (partition by c) from t",
        "select a / count(*) from t",
        "select a / (b - 1) from t where b > 0 or c > 0 group by d having a > 0"
        " union all select a / c from t",
        "select case when a > 0 then a / b end from t",
        "select a / nullif(b, 1) from t",
        "select case when a / b > 1 then b end from t",
        "select a % b from t",
        "select ln(x) from t",
        "select play_count / nullif(user_count, 0) from t",
        "select 1 / 3 from t",
    ],
    "decimals": [
        "select case when a then b else 0.0 end from t",
        "select coalesce(a, 0.5) from t",
        "select 25 / 14.5 from t",
        "select 2.0 as x from t",
        "select -0.7 * ln(0.7e0) from t",
        "select x from t union all select 1.0",
    ],
    "booleans": [
        "select sum(x > 0) from t",
        "select sum(is_active) from t",
        "select max(has_history) from t",
        "select min(x is null) from t",
        "select avg(a = b) from t",
        "select max(case when a then true end) from t",
        "select sum(not a) from t",
    ],
    "dates": [
        "select ended_at - started_at from t",
        "select end_date - start_date from t",
        "select max(event_date) - min(event_date) from t",
        "select cast(a as date) - cast(b as date) from t",
        "select {{ add_days('a', 1) }} - b_date from t",
        "select a + interval 1 day from t",
        "select a - interval '30' minute from t",
        "select date_trunc('week', a) from t",
        "select cast(date_trunc('hour', a) as date) from t",
        "select cast(date_trunc(b, a) as date) from t",
    ],
    "syntax": [
        "select x from t qualify row_number() over w = 1"
        " window w as (order by x asc nulls last)",
        "select a from t asof join u on t.a >= u.a",
        "select a from t positional join u",
        "select a from t natural join u",
        "select a from t semi join u on t.a = u.a",
        "select a from t, lateral (select 1 as b) as u",
        "select * exclude (a) from t",
        "select * replace (a as b) from t",
        "select a, count(*) from t group by all",
        "select a from t group by cube (a)",
        "select a from t order by all nulls last",
        "select distinct on (a) a, b from t",
        "select last_value(x ignore nulls) over w from t"
        " window w as (order by y asc nulls last)",
        "with recursive a as (select 1 as b) select b from a",
        "select a from t union by name select a from u",
        "select x from t where a ilike 'b'",
        "select x from t where a like b",
        "select x from t where a similar to 'b'",
        "select x from t where a glob 'b'",
        "select a collate nocase from t",
        "select a at time zone 'UTC' from t",
        "select a[1] from t",
        "select a, from t",
        "select split_part(a, ':', -1) from t",
        "from t",
        "select a from (from t select a) as u",
        "select a from t limit 1",
        "select a from t using sample 10",
        "pivot t on a using count(*)",
    ],
    "aliases": [
        "select a + 1 as b, 2 * b as c from t",
        "select count(*) as n from t having n > 1",
        "select a + 1 as b from t where b > 1",
        "with t as (select 1 as a) select a + 1 as b, b + 1 as c from t",
        "select user_id as b, b as c from fct_plays",
    ],
}

ALLOWED = [
    "select a, b as c from t where a is not null and b <> 'x' or not d",
    "select * from t",
    "with t as (select * from t) select a + 1 as b from t where a = 'order by'",
    "select t.*, u.a from t left join u on t.b = u.b",
    "select a from t full join u using (a) cross join v",
    "select distinct a from t union all select b from u",
    "select a from t except select a from u",
    "select a from t where exists (select 1 from u where u.a = t.a)",
    "select a in ('x', 'y') as b, a between 1 and 2 as c from t",
    "select a is distinct from b as c from t",
    "select a || ':' || b from t where a like '% x %'",
    "select lower(trim(a)), substr(a, 1, 3), split_part(a, ':', 1) from t",
    "select position('a' in b), md5(a), replace(a, 'b', 'c') from t",
    "select count(*) filter (where a > 0.5), count(distinct a) from t",
    "select bool_or(is_active), bool_and(a > b) from t",
    "select sum(case when is_active then 1 else 0 end) from t",
    "select max(a_date), min(a_at), avg(b) from t",
    "select stddev_samp(a), var_samp(a), covar_samp(a, b), corr(a, b) from t",
    "select percentile_cont(0.5) within group (order by a nulls last) from t",
    "select lag(a) over (partition by b order by c desc nulls first) from t",
    "select (sum(a) over w) - b from t window w as (partition by c)",
    "select sum(a) over w as b from t window w as (partition by c)",
    "select ntile(4) over (order by a asc nulls last, b asc nulls last) from t",
    "select {{ last_known('a', 'w') }} - b from t"
    " window w as (order by b asc nulls last)",
    "select cast({{ last_known('play_count', 'w') }} as integer) from t"
    " window w as (order by b asc nulls last)",
    "select cast(a as {{ data_type('text') }}) from t",
    "select cast(a as {{ data_type('double') }}) / 2 from t",
    "select cast(a as date), cast(b as decimal(18, 2)) from t",
    "select cast('2026-01-05' as date) as a, date '2026-01-05' as b from t",
    "select cast(floor(a) as integer), cast(round(b) as bigint) from t",
    "select cast(count(*) as integer), cast(sum(play_count) as bigint) from t",
    "select cast(coalesce(max(play_count), 0) - 1 as integer) from t",
    "select cast(case when a then play_count else 0 end as integer) from t",
    "select cast({{ days_between('a', 'b') }} + 1 as integer) from t",
    "select cast(user_count as {{ exact_integer() }}) from t",
    "select cast(30 * 1e6 as bigint) as a from t",
    "select cast(n as integer) from (select count(*) as n from t) as u",
    "select cast(play_number as integer) from fct_plays",
    "select a / nullif(b, 0), a % 7, a / 1e6, a / -2 from t",
    "select case when b > 0 then a / b end from t",
    "select case when b = 0 then null else a / b end from t",
    "select a / b from t where b > 0",
    "select sum(a / b) filter (where b > 0) from t",
    "select a / (1 + play_count), a / greatest(b, 1), a / exp(b) from t",
    "select ln(nullif(a, 0)), case when a > 0 then ln(a) end from t",
    "with u as (select a, count(*) as n from t group by a)"
    " select b / n from t inner join u on t.a = u.a",
    "select {{ rate('a', 'b') }} from t",
    "select {{ wilson_bound('a', 'b', 'low') }} from t",
    "select 14.5e0 / 2, cast(0.5 as {{ data_type('double') }}) * a from t",
    "select {{ add_days('a_date', 1) }} from t",
    "select {{ seconds_between('a_at', 'b_at') }} from t",
    "select cast(date_trunc('week', a) as date) from t",
    "select coalesce(a, 0) as a, a + 1 as b from t",
    "with t as (select 1 as b) select b + 1 as b, b + 2 as c from t",
    "select a, count(*) as n from t group by a having count(*) > 1",
    "select a + 1 as b, count(*) as n from t group by b",
    "{{ integers('day_number', 30) }}",
    "select a from (values ('x', 1), ('y', 2)) as t (a, b)",
]

# Words that a model might be given: each is put for one that it has.
MUTATIONS = {
    "arg_max": (r"\bmax\(", "arg_max(", "functions"),
    "cast": (r"cast\((\w+) as \w+\)", r"\1::integer", "operators"),
    "log": (r"\b(abs|sum|max|min|coalesce)\(", "log(", "functions"),
    "quantile": (r"\b(sum|count|min)\(", "quantile_cont(", "functions"),
    "weekday": (
        r"(?<!as )\b(\w+_(?:at|date))\b",
        r"extract(dow from \1)",
        "functions",
    ),
    "nulls": (r" nulls last", "", "null_order"),
    "zero": (r"nullif\((cast\(\w+ as \w+\)), 0\)", r"\1", "division"),
}
MUTATED = (
    "models/intermediate/genres/int_genre_diversity_measured.sql",
    "models/intermediate/events/int_events_sessionized.sql",
    "models/intermediate/events/int_plays_measured.sql",
    "models/marts/engagement/fct_growth_accounting.sql",
    "models/marts/experiments/fct_experiment_statistics.sql",
    "models/marts/retention/fct_survival.sql",
)


@cache
def problems_in(name):
    return problems_of(QUERIES[name])


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_portable(name):
    assert not problems_in(name)


def test_there_are_queries_of_every_kind():
    kinds = {re.split(r"[/ ]", name)[0] for name in QUERIES}
    assert kinds == {"models", "seeds", "tests", "analyses", "funnel"}
    assert any(".yml" in name for name in QUERIES)
    assert len(QUERIES) > 130


def test_every_rule_has_its_examples():
    assert [rule.__name__ for rule in RULES] == list(REFUSED)


@pytest.mark.parametrize(
    ("rule", "text"),
    [(rule, text) for rule, texts in REFUSED.items() for text in texts],
)
def test_refuses(rule, text):
    found = problems(render(text))
    assert any(problem.startswith(f"{rule}: ") for problem in found), found
    assert all(" — " in problem for problem in found)


@pytest.mark.parametrize("text", ALLOWED)
def test_allows(text):
    assert not problems(render(text))


def test_tells_names_of_one_function_apart():
    for right, wrong in [("ln(2)", "log(2)"), ("a <> b", "a == b")]:
        assert not problems(f"select {right} from t")
        assert problems(f"select {wrong} from t")
    for name in ("arg_max", "max_by"):
        (problem,) = problems(f"select {name}(a, b) from t")
        assert name in problem


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("name", MUTATED)
def test_refuses_a_mutated_model(name, mutation):
    pattern, replacement, rule = MUTATIONS[mutation]
    sql = render(QUERIES[name])
    before = set(problems(sql))
    for place in list(re.finditer(pattern, sql))[:5]:
        mutated = sql[: place.start()] + place.expand(replacement)
        found = set(problems(mutated + sql[place.end() :])) - before
        assert any(each.startswith(f"{rule}: ") for each in found), place


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_mutation_finds_its_place(mutation):
    found = [
        name
        for name in MUTATED
        if re.search(MUTATIONS[mutation][0], render(QUERIES[name]))
    ]
    assert len(found) > 1


def test_command_line_names_file_rule_and_remedy(tmp_path, capsys):
    path = tmp_path / "model.sql"
    path.write_text("select x::integer from t")
    assert main([str(path)]) == 1
    assert f"{path}: operators: :: — write cast(x as type)" in (
        capsys.readouterr().out
    )
    path.write_text("select x from t")
    assert main([str(path)]) == 0
