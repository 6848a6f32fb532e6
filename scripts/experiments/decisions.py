"""What to do with an experiment: the rules, each written once.

The decision is the first rule that applies.

1. broken: the shares of users are not those planned, over all or in a group,
   or too many users are in two variants. Nothing else is read.
2. do_not_ship: a primary metric is significantly worse, or a guardrail is
   harmed.
3. ship: a primary metric is significantly better, and every guardrail is
   harmless.
4. keep_running: a primary metric is significantly better, but a guardrail is
   not yet shown to be harmless.
5. do_not_ship: the planned size is reached without a significant primary
   metric.
6. keep_running: otherwise.

A test is significant when its sequential boundary has been crossed at a look,
or when it has its planned size, no looks were planned, and its p-value,
adjusted over the primary tests, is at most alpha. A planned size without looks
is read once, when it is reached: what is seen earlier decides nothing, or the
two tests would err twice. Without a planned size nothing but the boundary
decides. A guardrail with a margin is harmless when
harm beyond the margin is ruled out; one without a margin when its test is not
significantly worse. It is harmed when it is significantly worse and not
harmless. With several treatments, each is judged alone: one that can be shipped
ships, and all must fail to stop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

BROKEN, SHIP, STOP, RUN = "broken", "ship", "do_not_ship", "keep_running"


class Evidence(NamedTuple):
    """What one metric says of one treatment."""

    # Role is primary or guardrail.
    metric_name: str
    role: str
    # Sign of the headline's estimate, 1 if it is better; 0 without one.
    benefit: int
    # Adjusted for a primary metric, plain for a guardrail.
    p_value: float | None
    # Of the non-inferiority test, one-sided; None without a margin.
    harm_p_value: float | None = None
    # Sign of the effect at the first look beyond its boundary, 1 if it is
    # better; 0 if none is.
    crossed: int = 0
    has_planned_looks: bool = False  # whether the level is spent over looks
    units: int = 0  # users of all variants whose window has closed


class Decision(NamedTuple):
    """A decision and why."""

    decision: str  # `BROKEN`, `SHIP`, `STOP` or `RUN`
    reasons: tuple[str, ...]  # the facts that the rule rests on


def decided(
    broken: Sequence[str],
    treatments: Mapping[str, Sequence[Evidence]],
    planned_users: int | None,
    alpha: float = 0.05,
) -> Decision:
    """Decide on one experiment.

    `broken` says why the assignment cannot be trusted, and is empty if it can;
    each treatment has its primary metrics and guardrails. Planned users are of
    all variants together; `alpha` is the two-sided significance level, in (0,
    1).

    Examples
    --------
    >>> sessions = Evidence("sessions", "primary", 1, 0.01, units=900)
    >>> found = decided([], {"B": [sessions]}, planned_users=900)
    >>> found.decision, found.reasons
    ('ship', ('sessions is better',))
    """
    if broken:
        return Decision(BROKEN, tuple(broken))
    found = {
        name: _treatment(evidence, planned_users, alpha)
        for name, evidence in treatments.items()
    }
    if not found:
        return Decision(RUN, ("no_primary_metric",))
    names = {one.decision for one in found.values()}
    decision = SHIP if SHIP in names else STOP if names == {STOP} else RUN
    return Decision(
        decision,
        tuple(
            reason if len(found) == 1 else f"{name}: {reason}"
            for name, one in found.items()
            for reason in one.reasons
        ),
    )


def _treatment(
    evidence: Sequence[Evidence], planned_users: int | None, alpha: float
) -> Decision:
    """Judge one treatment by the first rule that applies."""
    primaries = [one for one in evidence if one.role == "primary"]
    if not primaries:
        return Decision(RUN, ("no_primary_metric",))
    signs = {
        one.metric_name: _significant(one, planned_users, alpha)
        for one in evidence
    }
    harmless = {
        one.metric_name: _is_harmless(one, signs[one.metric_name], alpha)
        for one in evidence
        if one.role == "guardrail"
    }
    names = [one.metric_name for one in primaries]
    worse = [f"{name} is worse" for name in names if signs[name] < 0]
    harmed = [
        f"guardrail {name} is harmed"
        for name, is_harmless in harmless.items()
        if signs[name] < 0 and not is_harmless
    ]
    better = [f"{name} is better" for name in names if signs[name] > 0]
    if worse or harmed:
        return Decision(STOP, (*worse, *harmed))
    if better:
        doubtful = [
            f"guardrail {name} is not shown harmless"
            for name, is_harmless in harmless.items()
            if not is_harmless
        ]
        return Decision(RUN if doubtful else SHIP, (*better, *doubtful))
    if all(_is_complete(one, planned_users) for one in primaries):
        return Decision(STOP, ("planned size reached, no primary is better",))
    if planned_users is None:
        return Decision(RUN, ("no size is planned, no boundary is crossed",))
    least = min(one.units for one in primaries)
    return Decision(
        RUN, (f"{least:,} of {planned_users:,} planned users are measured",)
    )


def _is_complete(one: Evidence, planned_users: int | None) -> bool:
    """Tell whether the planned users are all measured."""
    return planned_users is not None and one.units >= planned_users


def _significant(one: Evidence, planned_users: int | None, alpha: float) -> int:
    """Give the sign of a significant effect, 1 if it is better; else 0."""
    is_monitored = one.has_planned_looks or planned_users is None
    if one.crossed and is_monitored:
        return one.crossed
    is_tested = (
        _is_complete(one, planned_users)
        and not one.has_planned_looks
        and one.p_value is not None
    )
    # Written out: a p-value of exactly alpha rejects.
    if is_tested and one.p_value is not None and one.p_value <= alpha:
        return one.benefit
    return 0


def _is_harmless(one: Evidence, sign: int, alpha: float) -> bool:
    """Tell whether harm is ruled out, or at least not found."""
    if one.harm_p_value is not None:
        return one.harm_p_value <= alpha / 2
    return sign >= 0
