"""Refuse SQL that engines read differently, or that one of them cannot read.

    python tests/portability/portable_sql.py [files]

Lists say what is allowed: functions, operators, types, classes of the syntax
tree. What engines must spell differently is a macro in `macros/dialect/` and
stays a call here. A rule is a function of a query that yields what it refuses
and the remedy; its docstring is the reason.
"""

import re
import sys
from pathlib import Path

import sqlglot
from rendering import ROOT, Query, declared, queries, query_of, render
from sqlglot import exp
from sqlglot.tokens import TokenType


def is_a(node, names):
    return type(node).__name__ in names.split()


def is_call_of(node, macros):
    return is_a(node, "Anonymous") and node.name in macros.split()


def listed(names):
    return set(names.split())


def text_of(node):
    return node.sql("duckdb", normalize_functions="lower")


def type_name(data_type):
    return data_type.args.get("kind") or data_type.this.value


# --- Rules over words ---------------------------------------------------------

FUNCTIONS = {path.stem for path in (ROOT / "macros/dialect").glob("*.sql")}
FUNCTIONS |= listed(
    "abs avg bool_and bool_or cast ceil coalesce corr count covar_pop"
    " covar_samp cume_dist date_trunc dense_rank exp first_value floor greatest"
    " lag lead least length ln lower max md5 min ntile nullif percent_rank"
    " percentile_cont percentile_disc position power rank replace round"
    " row_number split_part sqrt stddev_pop stddev_samp substr sum tan trim"
    " upper var_pop var_samp"
)
BEFORE_PARENTHESES = listed(
    "all and as between by decimal distinct else except exists filter from"
    " group having in intersect is join not on or over select then union using"
    " values when where"
)
OF_THE_CLOCK = listed(
    "current_date current_time current_timestamp localtime localtimestamp"
    " current_user session_user"
)
FUNCTION_REMEDIES = {
    "concat": "engines skip a null or return it: write a || b",
    "extract": "weekdays have other numbers: a macro in macros/dialect/",
    "len": "write length(x)",
    "log": "its base differs: write ln(x)",
    "max_by": "row_number() and a filter in the next CTE",
    "median": "percentile_cont(0.5) within group (order by x asc nulls last)",
    "min_by": "row_number() and a filter in the next CTE",
    "mod": "write a % b",
    "pow": "write power(a, b)",
    "stddev": "write stddev_samp(x)",
    "substring": "write substr(x, from, length)",
    "variance": "write var_samp(x)",
}


def functions(query):
    """What is not listed is missing somewhere, or has another value."""
    words = query.words
    for at, word in enumerate(words):
        if word in OF_THE_CLOCK:
            yield word, "a time that the data holds"
        elif (
            words[at + 1 : at + 2] == ["("]
            and re.fullmatch(r"[a-z_]\w*", word)
            and word not in FUNCTIONS | BEFORE_PARENTHESES
            and words[at - 1] != "as"
        ):
            yield (
                f"{word}(",
                FUNCTION_REMEDIES.get(word, "a macro in macros/dialect/"),
            )
    for node in query.find("Round"):
        if node.args.get("decimals"):
            yield node, "PostgreSQL rounds no double to digits"


OPERATORS = listed("( ) , . + - * / % = <> != < > <= >= ||")
OPERATOR_REMEDIES = {
    "::": "write cast(x as type)",
    "//": "write floor(a / b)",
    "^": "a power or an exclusive or: write power(a, b)",
}


def operators(query):
    """Operators, quotes and escapes are read differently."""
    for token in query.tokens:
        kind, text = token.token_type, token.text
        if kind is TokenType.STRING:
            if "\\" in text:
                yield f"'{text}'", "Spark reads an escape: no backslashes"
        elif kind is TokenType.IDENTIFIER:
            yield f'"{text}"', "Spark reads a text: a plain name, no quotes"
        elif not re.match(r"\w", text) and text not in OPERATORS:
            yield text, OPERATOR_REMEDIES.get(text, "a function or plain SQL")


def null_order(query):
    """Nulls come first on one engine and last on another."""
    ends = listed("rows range groups limit offset union window")
    starts = [at for at, word in enumerate(query.words) if word == "order by"]
    for start in starts:
        depth, key = 0, []
        for each in [*query.words[start + 1 :], ")"]:
            depth += (each == "(") - (each == ")")
            is_end = depth < 0 or (depth == 0 and each in ends)
            if is_end or (depth == 0 and each == ","):
                if key[-2:-1] != ["nulls"]:
                    yield f"order by {' '.join(key)}", "add: nulls last"
                key = []
            else:
                key.append(each)
            if is_end:
                break


def window_names(query):
    """Spark reads `over w - x` as a window that is called `w-x`."""
    for over, name, sign in zip(
        query.words, query.words[1:], query.words[2:], strict=False
    ):
        if over == "over" and name != "(" and sign in set("+-*/%"):
            yield f"over {name} {sign}", "put the window in parentheses"


# --- Rules over types and numbers ---------------------------------------------

TYPES = {"INT", "BIGINT", "DATE", "BOOLEAN"}
INTEGERS = {"INT", "BIGINT", "portable_integer"}
COMPARISONS = "GT GTE LT LTE EQ NEQ Between"


def types(query):
    """A type has another name, or another width."""
    for word, after in zip(query.words, query.words[1:], strict=False):
        if word in ("decimal", "numeric") and after != "(":
            yield word, "say how many digits: decimal(18, 2)"
    for node in query.find("DataType"):
        name = type_name(node)
        if not (
            name in TYPES
            or name.startswith("portable_")
            or (name == "DECIMAL" and node.expressions)
        ):
            yield node.parent or node, "name it by {{ data_type(...) }}"


COUNTS = "Count RowNumber Rank DenseRank Ntile Length StrPosition"
MADE_OF_ALL = "Add Sub Mul Mod Coalesce Greatest Least"
MADE_OF_FIRST = (
    "Paren Neg Abs Sum Max Min Filter Window Nullif Lag Lead FirstValue"
    " Distinct"
)


def made_of(node):
    """The parts that make a value whole when they are."""
    if is_a(node, "Case"):
        branches = [each.args["true"] for each in node.args["ifs"]]
        return list(filter(None, [*branches, node.args.get("default")]))
    if is_a(node, MADE_OF_ALL):
        return list(node.iter_expressions())
    if is_a(node, MADE_OF_FIRST):
        return [node.this or node.expressions[0]]
    is_known = is_call_of(node, "last_known next_known")
    return node.expressions[:1] if is_known else []


def is_whole(node, query, is_typed=False, seen=()):
    """Whether a value is a whole number, or, if `is_typed`, an integer."""
    if is_a(node, "Column"):
        return is_whole_column(node.name, query, is_typed, seen)
    if is_a(node, "Cast"):
        return type_name(node.to) in INTEGERS
    if is_a(node, "Ceil Floor Null Round"):
        return not is_typed and not node.args.get("decimals")
    if is_a(node, "Literal") and not node.is_string:
        return node.this.isdigit() if is_typed else float(node.this) % 1 == 0
    if is_a(node, COUNTS) or is_call_of(node, "days_between"):
        return True
    parts = made_of(node)
    return bool(parts) and all(
        is_whole(part, query, is_typed, seen) for part in parts
    )


def is_whole_column(name, query, is_typed, seen):
    """By its ending, or by all that it stands for here and in the parents."""
    here = (id(query), name)
    if name.endswith(("_count", "_number")) or here in seen:
        return True
    seen = (*seen, here)
    verdicts = [
        is_whole(meaning, query, is_typed, seen)
        for meaning in query.meanings.get(name, [])
    ]
    for parent in query.parents:
        kind = declared().get(parent, {}).get(name)
        if kind:
            verdicts.append(kind in ("INTEGER", "BIGINT", "BOOLEAN"))
        elif kind is not None and query_of(parent):
            verdicts.append(
                is_whole_column(name, query_of(parent), is_typed, seen)
            )
    return bool(verdicts) and all(verdicts)


def casts(query):
    """A fraction that is cast to an integer is rounded, or truncated."""
    for node in query.find("Cast"):
        if type_name(node.to) in INTEGERS and not is_whole(node.this, query):
            yield node, "say which: floor(x), ceil(x) or round(x)"


def zeros(node, query):
    """The factors of a divisor that may be zero for all that is seen of it."""
    parts = []
    if is_a(node, "Paren Neg Sqrt Abs") or (
        is_a(node, "Cast") and type_name(node.to) not in INTEGERS
    ):
        parts = [node.this]
    elif is_a(node, "Mul"):
        parts = [node.left, node.right]
    elif is_a(node, "Div") or (
        is_a(node, "Add") and is_square(node.right.unnest())
    ):
        parts = [node.left]
    elif not is_never_zero(node, query):
        return [node]
    return [zero for part in parts for zero in zeros(part, query)]


def is_never_zero(node, query):
    if is_positive(node):
        return True
    if is_a(node, "Ln"):
        return is_a(node.this, "Literal") and float(node.this.this) != 1
    if is_a(node, "Greatest"):
        return any(map(is_positive, node.iter_expressions()))
    if is_a(node, "Add"):
        parts = [node.left.unnest(), node.right.unnest()]
        return any(map(is_positive, parts)) and all(
            is_positive(part) or part.name.endswith("_count") for part in parts
        )
    if is_a(node, "Column") and node.name in query.meanings:
        return all(map(is_count_of_a_group, query.meanings[node.name]))
    return is_a(node, "Exp") or (
        is_a(node, "Nullif")
        and is_a(node.expression, "Literal")
        and not is_positive(node.expression)
    )


def is_count_of_a_group(node):
    select = node.find_ancestor(exp.Select)
    return is_a(node, "Count") and bool(select and select.args.get("group"))


def is_positive(node):
    return is_a(node, "Literal") and float(node.this) > 0


def is_square(node):
    return is_a(node, "Mul") and node.left == node.right


def is_guarded(node, factor):
    """Whether a condition under which a node stands compares a factor of it."""
    conditions, below = [], node
    while not is_a(below, "Select") and below.parent:
        above = below.parent
        if is_a(above, "Case"):
            conditions += [each.this for each in above.args["ifs"]]
        elif is_a(above, "If") and below.arg_key == "this":
            return False
        elif is_a(above, "Filter") and below.arg_key == "this":
            conditions.append(above.expression.this)
        elif is_a(above, "Select") and above.args.get("where"):
            conditions.append(above.args["where"].this)
        below = above
    compared = {
        column.sql()
        for condition in conditions
        for comparison in condition.walk()
        if is_a(comparison, COMPARISONS)
        for column in comparison.find_all(exp.Column)
    }
    needed = {column.sql() for column in factor.find_all(exp.Column)}
    return bool(needed) and needed <= compared


def division(query):
    """By zero it is infinite, null or an error; of integers, cut off."""
    for node in query.find("Div Mod Ln"):
        divisor = node.this if is_a(node, "Ln") else node.expression
        if not all(
            is_guarded(node, factor) for factor in zeros(divisor, query)
        ):
            yield node, "nullif(x, 0), or a case that compares x"
        if is_a(node, "Div") and all(
            is_whole(part, query, is_typed=True)
            for part in (node.left, node.right)
        ):
            yield node, "cast one of them to a double"


def decimals(query):
    """`0.5` is a decimal, and Spark's decimal division keeps six digits."""
    for node in query.find("Literal"):
        parent = node.parent
        while is_a(parent, "Neg Paren"):
            parent = parent.parent
        if (
            not node.is_string
            and re.fullmatch(r"\d*\.\d*", node.this)
            and not is_a(
                parent, f"Cast {COMPARISONS} PercentileCont PercentileDisc"
            )
        ):
            short = re.sub(r"\.0*$", "", node.this)
            yield node, f"write {short}e0, or cast it"


TRUTHS = f"{COMPARISONS} In Is Not And Or Exists NullSafeEQ NullSafeNEQ Boolean"


def is_truth(node):
    node = node.unnest()
    if is_a(node, "Case"):
        return any(is_truth(each.args["true"]) for each in node.args["ifs"])
    return is_a(node, TRUTHS) or (
        is_a(node, "Column") and node.name.startswith(("is_", "has_"))
    )


def booleans(query):
    """A truth is a number on one engine only."""
    for node in query.find("Sum Avg Max Min"):
        if is_truth(node.this):
            yield node, "count(*) filter (where x), or bool_or(x)"


# --- Rules over dates, structure and names ------------------------------------


def is_moment(node):
    node = node.unnest()
    if is_a(node, "Column"):
        return node.name.endswith(("_date", "_at"))
    if is_a(node, "Cast"):
        return type_name(node.to) in ("DATE", "TIMESTAMP", "portable_timestamp")
    if is_a(node, "Anonymous AddMonths"):
        return text_of(node).startswith(("add_", "local_"))
    return is_a(node, "Max Min Window Lag Lead Coalesce Filter") and is_moment(
        node.this
    )


def dates(query):
    """A difference is days or an interval; a truncated date is an instant."""
    for node in query.find("Sub"):
        if is_moment(node.left) and is_moment(node.right):
            yield node, "days_between or seconds_between"
    for node in query.find("Interval"):
        yield node, "add_days, add_hours, add_months or add_seconds"
    for node in query.find("TimestampTrunc DateTrunc"):
        unit = node.args["unit"].name.lower()
        if (
            not is_a(node.parent, "Cast")
            or type_name(node.parent.to) != "DATE"
            or unit not in ("day", "week", "month", "quarter", "year")
        ):
            yield node, "cast(date_trunc('<day to year>', x) as date)"


CLASSES = (
    "Add Alias And Between Boolean CTE Case Column Corr CovarPop CovarSamp"
    " DPipe DataType DataTypeParam Distinct Div EQ Except Exists Filter From GT"
    " GTE Group Having Identifier If In Intersect Interval Is Join LT LTE Like"
    " Literal Mod Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Or Order Ordered"
    " Paren Pow Select Star Sub Subquery Table TableAlias Tuple Union Values"
    " Var Where Window WindowSpec With WithinGroup"
)
CLASS_REMEDIES = {
    "IgnoreNulls": "last_known or next_known",
    "Qualify": "number in one CTE, filter in the next",
}


def syntax(query):
    """One engine does not read it, or reads it otherwise."""
    for node in query.tree.walk():
        name = type(node).__name__
        is_call = isinstance(node, exp.Func) and not isinstance(
            node, exp.Binary
        )
        if not is_call and not is_a(node, CLASSES):
            yield node, CLASS_REMEDIES.get(name, "plain SQL")
        elif name in REFUSED_FORMS and REFUSED_FORMS[name][0](node, node.args):
            yield node, REFUSED_FORMS[name][1]
    for word, after in zip(["(", *query.words], query.words, strict=False):
        if word == "," and after in (")", "from"):
            yield f", {after}", "no comma after the last"
        if word == "(" and after == "from":
            yield after, "select comes first"


# Of what is allowed, the forms that are not.
REFUSED_FORMS = {
    "Distinct": (
        lambda _, of: of.get("on"),
        CLASS_REMEDIES["Qualify"],
    ),
    "Group": (
        lambda _, of: set(filter(of.get, of)) - {"expressions"},
        "name the columns",
    ),
    "Join": (
        lambda node, of: of.get("method") or node.kind in ("SEMI", "ANTI"),
        "inner, left, full or cross join, or exists",
    ),
    "Like": (
        lambda node, _: not is_a(node.expression, "Literal"),
        "position(part in text) > 0",
    ),
    "Ordered": (lambda node, _: is_a(node.this, "Var"), "name the columns"),
    "SplitPart": (
        lambda _, of: not is_positive(of["part_index"]),
        "count the parts from the front",
    ),
    "Star": (lambda _, of: any(of.values()), "name the columns"),
    "Union": (lambda _, of: of.get("by_name"), "name the columns in one order"),
    "With": (lambda _, of: of.get("recursive"), "integers() counts"),
}


def aliases(query):
    """An alias is not known beside itself, nor under where and having."""
    for select in query.find("Select"):
        given = {each.alias: each for each in select.selects if each.alias}
        inputs = query.inputs(select).values()
        clauses = [select.args.get("where"), select.args.get("having")]
        for place in filter(None, [*select.selects, *clauses]):
            for column in place.find_all(exp.Column):
                own = given.get(column.name, place)
                if (
                    own is place
                    or column.table
                    or column.find_ancestor(exp.Select) is not select
                    or any(column.name in names for names in inputs if names)
                ):
                    continue
                # Where inputs are unknown, `f(x) as x` says that x is one.
                made_of = {each.name for each in own.this.find_all(exp.Column)}
                if None not in inputs or column.name not in made_of:
                    yield f"{column.name} in {text_of(place)}", "one CTE more"


RULES = (
    functions, operators, null_order, window_names, types, casts, division,
    decimals, booleans, dates, syntax, aliases,
)  # fmt: skip


def problems(sql):
    """What a rendered query breaks: `<rule>: <snippet> — <remedy>`."""
    try:
        query = Query(sql)
    except sqlglot.errors.SqlglotError as error:
        first_line = str(error).splitlines()[0]
        return [f"syntax: {first_line} — what DuckDB reads, to begin with"]
    found = {}
    for rule in RULES:
        for what, remedy in rule(query):
            snippet = what if isinstance(what, str) else text_of(what)
            snippet = re.sub(r"\s+", " ", snippet)
            if len(snippet) > 90:
                snippet = f"{snippet[:87]}..."
            found[f"{rule.__name__}: {snippet} — {remedy}"] = None
    return list(found)


def problems_of(text):
    """Of a query that is still to be rendered, under either settings."""
    found = problems(render(text))
    others = render(text, is_other=True)
    return found + [each for each in problems(others) if each not in found]


def main(paths):
    texts = {path: Path(path).read_text() for path in paths} or queries()
    lines = [
        f"{name}: {problem}"
        for name, text in texts.items()
        for problem in problems_of(text)
    ]
    print(*lines, sep="\n", end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
