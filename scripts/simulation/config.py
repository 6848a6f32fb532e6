"""Every number of the simulated service, with its unit and meaning.

Nothing is read or written. `SimulationConfig` is the only place where a
parameter of the demo lives; the other modules of this package take it as
their first argument.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

DAY_SECONDS = 86_400
# An intake or a panel below these sizes may leave a day without events, and
# then the first day or the watermark would move.
LEAST_NEW_USERS, LEAST_PANEL_MEMBERS = 500, 50
NEW_USERS_PER_MEMBER = 15  # where only the new users are said

GENRES = (
    "drama",
    "comedy",
    "thriller",
    "documentary",
    "action",
    "romance",
    "science_fiction",
    "crime",
    "animation",
    "horror",
    "music",
    "sport",
)
EVENT_TYPES = ("play", "pause", "skip")
DEVICES = ("phone", "tablet", "desktop", "tv")
VARIANTS = ("A", "B")
PUSH = "push_reminders"
ONBOARDING = "onboarding_personalisation"

# name -> (share of users, relative activity). The differences are mild on
# purpose: breakdowns should show something, not everything.
PLATFORMS = {
    "ios": (0.34, 1.06),
    "android": (0.36, 0.92),
    "web": (0.18, 0.90),
    "tv": (0.12, 1.22),
}
COUNTRIES = {
    "US": (0.30, 1.05),
    "BR": (0.16, 0.94),
    "DE": (0.16, 1.00),
    "GB": (0.14, 1.02),
    "FR": (0.12, 0.98),
    "IN": (0.12, 0.95),
}
CHANNELS = {
    "organic": (0.38, 1.08),
    "paid_social": (0.27, 0.86),
    "search": (0.20, 1.00),
    "referral": (0.15, 1.10),
}


@dataclass(frozen=True)
class SimulationConfig:
    """Parameters of one simulated log; rates and shares are in [0, 1]."""

    # Seed of every random draw; the same seed gives the same bytes.
    seed: int = 20260105
    new_users: int = 60_000  # people who sign up during the acquisition days
    # Established members, signed up before the first day.
    panel_members: int = 4_000
    # Whole days of data; the log is cut `cut_seconds` into the day after.
    days: int = 60
    first_day: str = "2026-01-05"  # UTC date of day 0, `YYYY-MM-DD`
    # New users sign up on days 0 .. acquisition_days - 1.
    acquisition_days: int = 30
    cut_seconds: int = 6 * 3600  # length of the last, partial day in seconds
    titles: int = 2_000  # size of the catalogue
    # Zipf exponent of the popularity of titles within a genre.
    popularity_exponent: float = 1.05

    # Share of new users who sign up and never play.
    never_play_share: float = 0.04

    # Nine of these are solved by `calibration.calibrate`, so that the headlines
    # are exact.
    # Shape of the gamma-distributed latent activity (mean 1, no unit).
    activity_shape: float = 6.0
    # A member who has not left visits on a day with probability
    # ``visit_ceiling * (1 - exp(-visit_scale * activity))``.
    visit_ceiling: float = 0.34
    visit_scale: float = 1.2533255
    # Still a member on day t after the first with probability
    # ``(1 + (t - 1) / leaving_days) ** -exponent``, where the exponent is
    # ``leaving_exponent / (1 + leaving_slope * activity)``.
    leaving_exponent: float = 0.9018394
    leaving_slope: float = 1.0239765
    leaving_days: float = 0.7064768
    # A visit has ``1 + Poisson(plays_per_activity * activity)`` valid plays.
    plays_per_activity: float = 3.6
    most_extra_plays: int = 14  # cap of that Poisson count
    # Share of plays after the first that continue the same title.
    resume_share: float = 0.10
    # Share of new users with broad taste; independent of activity.
    broad_share: float = 0.2804089
    # Probability that the next new title opens a new genre after 1, 2, and 3 or
    # more known genres, for narrow and for broad taste.
    narrow_openings: tuple[float, float, float] = (
        0.3048848,
        0.1560908,
        0.0240198,
    )
    broad_openings: tuple[float, float, float] = (0.99, 0.6607767, 0.99)

    # Planted causal effect on D7 of reaching 4 genres in days 0 to 2.
    exploration_effect: float = 0.020
    # The effect on day t >= 3 is ``exploration_effect * (7 / t) ** decay``.
    exploration_decay: float = 0.45
    # Planted difference B - A of D1 retention among all randomised users.
    onboarding_effect: float = 0.020

    # Expected sessions of a panel member over 7 days without reminders.
    sessions_per_week: float = 49.9
    # The same, for members assigned to reminders (intention to treat).
    push_sessions_per_week: float = 59.8
    # Share of panel members without any event in the window.
    dormant_share: float = 0.02
    # A member's rate per slot is ``low + width * Beta(2, 2)``, rescaled to the
    # expected sessions.
    slot_rate_low: float = 0.15
    slot_rate_width: float = 0.42
    # Members are assigned uniformly over these whole days.
    push_first_day: int = 28
    push_days: int = 7
    # Share of variant B that a reminder reaches.
    push_reached_share: float = 0.88
    # The first reminder comes uniformly within this time.
    push_delay_seconds: int = 12 * 3600
    # Half-life of the reminder's effect after the 7-day window.
    push_half_life_days: float = 14.0

    # Panel members with a paid subscription and new users on trial; all others
    # are on the free plan.
    premium_share: float = 0.8
    trial_share: float = 0.7

    # Share of canonical events that arrive late: half of them within
    # `late_median_seconds`, the latest after `late_most_seconds`.
    late_share: float = 0.002
    late_median_seconds: int = 6 * 3600
    late_most_seconds: int = 21 * DAY_SECONDS
    # Share of users whose device is off-line for up to so many days: what they
    # do meanwhile arrives at the end.
    offline_share: float = 0.02
    offline_most_days: int = 5
    # Planted faulty rows of each kind per canonical event.
    fault_shares: tuple[tuple[str, float], ...] = (
        ("duplicate_exact", 2e-3),
        ("duplicate_conflict", 4e-4),
        ("duplicate_moved", 1e-4),
        ("missing_event_id", 3e-5),
        ("missing_user_id", 5e-5),
        ("missing_content_id", 4e-5),
        ("missing_event_at", 3e-5),
        ("unknown_event_type", 2e-4),
        ("clock_reset", 1e-4),
        ("clock_overflow", 5e-5),
        ("unknown_user", 2e-4),
        ("unknown_content", 3e-4),
        ("before_sign_up", 2e-4),
        ("bad_timestamp", 3e-5),
        ("too_few_columns", 2e-5),
        ("too_many_columns", 2e-5),
    )
    # Users assigned to both variants, assignment rows and user rows written
    # twice, each per canonical row.
    mixed_share: float = 0.002
    repeated_assignment_share: float = 0.001
    repeated_user_share: float = 0.0005

    def __post_init__(self) -> None:
        """Refuse impossible sizes by the option that says them, and value."""
        for option, value, low, high in (
            ("--seed", self.seed, 0, 2**63 - 1),
            ("--users", self.new_users, LEAST_NEW_USERS, 50_000_000),
            ("--panel", self.panel_members, LEAST_PANEL_MEMBERS, 5_000_000),
            ("--days", self.days, 42, 365),
        ):
            if not low <= value <= high:
                raise ValueError(
                    f"{option} must be between {low} and {high}, got {value}"
                )

    @property
    def start(self) -> dt.datetime:
        """First instant of day 0, UTC, naive."""
        return dt.datetime.fromisoformat(self.first_day)

    @property
    def cut(self) -> int:
        """End of the log in seconds since the start, exclusive."""
        return self.days * DAY_SECONDS + self.cut_seconds

    @property
    def watermark_day(self) -> int:
        """Last whole day of data, counted from day 0."""
        return self.days - 1

    @property
    def reminder_lift(self) -> float:
        """Relative lift of the session rate after the first reminder.

        Reminders reach only a part of variant B, and after a mean delay of
        half `push_delay_seconds`; the lift makes up for both, so that the
        arm's expectation is `push_sessions_per_week`.
        """
        lost = self.push_delay_seconds / 2 / (7 * DAY_SECONDS)
        gain = self.push_sessions_per_week / self.sessions_per_week - 1
        return gain / (self.push_reached_share * (1 - lost))
