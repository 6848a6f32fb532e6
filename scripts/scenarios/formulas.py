"""Formulas of scenarios: a text over term names, parsed, never executed.

Numbers, term names, ``+ - * /``, parentheses, ``min``, ``max`` and
``ramped_weeks``; nothing else. Pure functions.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scenarios.units import Unit, product, unit_text
from stats.intervals import Floats

LONGEST = 1_000  # characters: longer ones are no longer read by anybody
MOST_WEEKS = 520  # ten years of weeks are summed one by one

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
}


def ramped_weeks(
    weeks: ArrayLike, ramp_weeks: ArrayLike, weekly_loss: ArrayLike
) -> Floats:
    """Give the weeks of full effect in a roll-out that starts slowly.

    Users arrive in equal parts over the ramp. Whoever has arrived has the
    whole effect in the first week, and loses a share of what is left of it
    with every further one.

    The weeks looked at are one number; a ramp of at most 1 week is none, and
    the weekly loss is in [0, 1]. Gives the sum over the weeks of the share
    reached times the effect left.

    Raises
    ------
    ValueError
        If `weeks` is not one whole number from 0 to `MOST_WEEKS`.

    Examples
    --------
    >>> float(ramped_weeks(12, 1, 0)), float(ramped_weeks(4, 4, 0))
    (12.0, 2.5)
    """
    horizon = np.unique(np.asarray(weeks, float))
    if horizon.size != 1 or not 0 <= horizon[0] <= MOST_WEEKS or horizon[0] % 1:
        raise ValueError(
            f"weeks must be one whole number from 0 to {MOST_WEEKS}, got "
            f"{horizon[0]:g}"
        )
    ramp = np.maximum(np.asarray(ramp_weeks, float), 1.0)
    left = 1 - np.asarray(weekly_loss, float)
    shape = np.broadcast_shapes(ramp.shape, left.shape)
    effect, total, reached = np.zeros(shape), np.zeros(shape), 0.0
    for week in range(1, int(horizon[0]) + 1):
        now = np.minimum(week / ramp, 1.0)
        effect = effect * left + (now - reached)
        total = total + effect
        reached = now
    return total


@dataclass(frozen=True)
class Formula:
    """A parsed formula."""

    text: str  # as written
    names: tuple[str, ...]  # terms it uses, in order of their first mention
    _tree: ast.expr

    def __call__(self, terms: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Compute the value; floats or arrays alike.

        At least the `names` are given; not finite where a divisor is 0.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return _value(self._tree, terms)

    def unit(self, units: Mapping[str, Unit]) -> Unit:
        """Give the unit of the value.

        At least the `names` are given.

        Raises
        ------
        ValueError
            Naming the place, if units are added or compared that differ.
        """
        return _unit(self._tree, units) or {}


def parse(text: str) -> Formula:
    """Read a formula.

    Such as ``users * min(1, rate + lift) - cost``.

    Raises
    ------
    ValueError
        Naming the character and the remedy, if it is no such formula.

    Examples
    --------
    >>> formula = parse("users * (rate + lift)")
    >>> formula.names, formula({"users": 10, "rate": 0.2, "lift": 0.3})
    (('users', 'rate', 'lift'), 5.0)
    """
    if len(text) > LONGEST:
        raise ValueError(
            f"character {LONGEST}: the formula is longer than that; name a "
            "part of it as a term"
        )
    if not text.strip():
        raise ValueError("character 1: the formula is empty; write one")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        place = getattr(error, "offset", None) or len(text) + 1
        raise ValueError(
            f"character {place}: this is no formula; use numbers, term names,"
            " + - * /, parentheses, min and max"
        ) from None
    names: dict[str, None] = {}
    _check(tree, names)
    return Formula(text, tuple(names), tree)


def place_of(formula: Formula, name: str) -> int:
    """Give the character at which a term is first named, from 1.

    Examples
    --------
    >>> place_of(parse("users * lift"), "lift")
    9
    """
    return 1 + min(
        node.col_offset
        for node in ast.walk(formula._tree)
        if isinstance(node, ast.Name) and node.id == name
    )


def _refusal(node: ast.expr, message: str) -> ValueError:
    return ValueError(f"character {node.col_offset + 1}: {message}")


def _check(node: ast.expr, names: dict[str, None]) -> None:
    """Refuse whatever is not arithmetic; collect the names."""
    if isinstance(node, ast.Constant):
        if type(node.value) not in {int, float}:
            raise _refusal(node, f"{node.value!r} is no number")
    elif isinstance(node, ast.Name):
        if node.id in FUNCTIONS:
            raise _refusal(node, f"{node.id} needs its arguments in (...)")
        names[node.id] = None
    elif isinstance(node, ast.UnaryOp) and isinstance(
        node.op, (ast.USub, ast.UAdd)
    ):
        _check(node.operand, names)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        _check(node.left, names)
        _check(node.right, names)
    elif isinstance(node, ast.Call):
        _check_call(node, names)
    else:
        raise _refusal(
            node,
            f"{ast.unparse(node)!r} is no arithmetic; use + - * /, "
            "parentheses, min and max",
        )


def _check_call(node: ast.Call, names: dict[str, None]) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in FUNCTIONS:
        raise _refusal(
            node,
            f"unknown function {ast.unparse(node.func)!r}; use one of "
            f"{', '.join(FUNCTIONS)}",
        )
    count = len(node.args)
    is_wrong = count != _RAMP_ARGUMENTS if name == "ramped_weeks" else count < 1
    if is_wrong or node.keywords:
        raise _refusal(
            node,
            "ramped_weeks takes weeks, ramp_weeks, weekly_loss"
            if name == "ramped_weeks"
            else f"{name} takes one value or more",
        )
    for argument in node.args:
        _check(argument, names)


_RAMP_ARGUMENTS = 3
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": lambda *values: reduce(np.minimum, values),
    "max": lambda *values: reduce(np.maximum, values),
    "ramped_weeks": ramped_weeks,
}


def _value(node: ast.expr, terms: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Compute a checked node."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return terms[node.id]
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, terms)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, terms), _value(node.right, terms)
        return OPERATORS[type(node.op)](left, right)
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return FUNCTIONS[node.func.id](*(_value(a, terms) for a in node.args))


def _unit(node: ast.expr, units: Mapping[str, Unit]) -> Unit | None:
    """Give the unit of a checked node; None for a 0, which fits any."""
    if isinstance(node, ast.Constant):
        return None if node.value == 0 else {}
    if isinstance(node, ast.Name):
        return units[node.id]
    if isinstance(node, ast.UnaryOp):
        return _unit(node.operand, units)
    if isinstance(node, ast.BinOp):
        parts = [_unit(node.left, units), _unit(node.right, units)]
        if isinstance(node.op, (ast.Add, ast.Sub)):
            return _common(node, parts)
        sign = -1 if isinstance(node.op, ast.Div) else 1
        return product(parts[0] or {}, parts[1] or {}, sign)
    assert isinstance(node, ast.Call)
    parts = [_unit(argument, units) for argument in node.args]
    if len(parts) == _RAMP_ARGUMENTS and node.func.id == "ramped_weeks":  # type: ignore[attr-defined]
        # The loss is a share, whatever the weeks are called.
        _common(node, [parts.pop(), {}])
    return _common(node, parts)


def _common(node: ast.expr, units: list[Unit | None]) -> Unit | None:
    """Give the one unit that all have, or refuse them."""
    known = [unit for unit in units if unit is not None]
    for unit in known[1:]:
        if unit != known[0]:
            raise _refusal(
                node,
                f"{ast.unparse(node)!r} brings together "
                f"{unit_text(known[0])} and {unit_text(unit)}",
            )
    return known[0] if known else None
