"""What the marts should say, from instants and the days of a zone.

Days come from `zoneinfo` one instant at a time, everything else from sets of
users and days. Nothing is shared with the models but the definitions.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import floor
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
GRAINS = ("day", "week", "month")
WEEKDAYS = (
    *("monday", "tuesday", "wednesday", "thursday", "friday"),
    *("saturday", "sunday"),
)


# The columns of what `Expected` tells of a mart, after those of its key.
ACTIVE_USERS = (
    "is_complete, daily_active_users, weekly_active_users,"
    " monthly_active_users, mean_daily_active_users, stickiness_rate"
)
FREQUENCY = (
    "user_count, user_count_at_least, window_user_count, exact_rate,"
    " at_least_rate"
)
GROWTH = (
    "period_end_date, is_complete, is_first_period, active_users,"
    " previous_active_users, new_users, retained_users, resurrected_users,"
    " churned_users, dormant_users, quick_ratio"
)


@dataclass(frozen=True)
class Calendar:
    """Days of a zone, and weeks that begin on one of them."""

    zone: str
    week_start: str

    def day(self, instant):
        """The local day of a naive UTC instant."""
        local = instant.replace(tzinfo=UTC).astimezone(ZoneInfo(self.zone))
        return local.date()

    def begins(self, day):
        """The first naive UTC instant of a local day, by bisection."""
        low = datetime(day.year, day.month, day.day) - 2 * DAY
        high = low + 4 * DAY
        while high - low > timedelta(seconds=1):
            middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
            low, high = (
                (low, middle) if self.day(middle) >= day else (middle, high)
            )
        return high

    def start(self, day, grain):
        if grain == "month":
            return day.replace(day=1)
        if grain == "week":
            return day - (
                (day.weekday() - WEEKDAYS.index(self.week_start)) % 7 * DAY
            )
        return day

    def later(self, start, periods, grain):
        """The start of the period so many periods later."""
        if grain == "month":
            month = start.month - 1 + periods
            return date(start.year + month // 12, month % 12 + 1, 1)
        return start + periods * (7 if grain == "week" else 1) * DAY


@dataclass(frozen=True)
class Rules:
    """The variables that the definitions speak of."""

    windows: tuple = ()  # (retention_type, first, last)
    horizon: int = 60
    fixed: int = 30
    churn_after: int = 14
    tenure_bands: tuple = ()
    active_window: int = 28
    onboarding_window: int = 7


def share(part, whole):
    return part / whole if whole else None


def told(connection, query, keys=1):
    """Read a query as {first columns: others}."""
    rows = connection.execute(query).fetchall()
    table = {}
    for row in rows:
        key, values = row[:keys], row[keys:]
        table[key if keys > 1 else key[0]] = (
            values if len(values) > 1 else values[0]
        )
    assert len(table) == len(rows) > 0
    return table


class Expected:
    """Every mart with days in it, for one log and calendar.

    `users` maps user_id to the naive UTC instant of sign-up, or None; `events`
    are tuples of user_id, event_type and event_at.
    """

    def __init__(self, calendar, rules, users, events):
        self.calendar, self.rules, self.users = calendar, rules, users
        self.events = sorted(events, key=lambda event: event[2])
        days = {calendar.day(at) for _, _, at in events}
        self.first_day, self.last_day = min(days), max(days)
        self.watermark = self.last_day - DAY
        self.end_of_log = calendar.begins(self.watermark + DAY)
        self.days = [self.first_day]
        while self.days[-1] < self.last_day:
            self.days.append(self.days[-1] + DAY)

    # --- users ----------------------------------------------------------------

    @cached_property
    def plays(self):
        """Instants of the plays, also of those that resume, by user."""
        found = defaultdict(list)
        for user, kind, at in self.events:
            if kind == "play":
                found[user].append(at)
        return found

    @cached_property
    def active(self):
        """Active days, by user."""
        return {
            user: {self.calendar.day(at) for at in instants}
            for user, instants in self.plays.items()
        }

    @cached_property
    def established(self):
        return {
            user
            for user, at in self.users.items()
            if at and self.calendar.day(at) < self.first_day
        }

    @cached_property
    def cohort(self):
        """First active day of each new user."""
        return {
            user: min(days)
            for user, days in self.active.items()
            if user not in self.established
        }

    # --- coming back ----------------------------------------------------------

    def returns(self):
        """(user, type, mode, first, last): eligible, retained, due."""
        found = {}
        for user, cohort in self.cohort.items():
            start = self.plays[user][0]
            numbers = {
                "calendar": {(day - cohort).days for day in self.active[user]},
                "elapsed": {
                    floor((at - start) / DAY) for at in self.plays[user]
                },
            }
            for kind, first, last in self.rules.windows:
                passed = start + (last + 1) * DAY
                due = {
                    "calendar": cohort + last * DAY,
                    # The last day that is needed whole, or in part.
                    "elapsed": self.calendar.day(
                        passed - timedelta(microseconds=1)
                    ),
                }
                is_eligible = {
                    "calendar": due["calendar"] <= self.watermark,
                    "elapsed": passed <= self.end_of_log,
                }
                for mode, seen in numbers.items():
                    is_back = any(first <= number <= last for number in seen)
                    found[user, kind, mode, first, last] = (
                        is_eligible[mode],
                        is_eligible[mode] and is_back,
                        cohort,
                        due[mode],
                    )
        return found

    def summary(self):
        """(dimension, value, type, mode, first, last): counts of users."""
        cells = defaultdict(lambda: [0, 0, 0])
        for (user, *window), (
            is_eligible,
            is_back,
            *_,
        ) in self.returns().items():
            for key in (("all", "all"), ("cohort", str(self.cohort[user]))):
                cell = cells[*key, *window]
                cell[0] += 1
                cell[1] += is_eligible
                cell[2] += is_back
        return {key: tuple(cell) for key, cell in cells.items()}

    def triangle(self, grain):
        """(cohort, number): size, eligible, retained, mature, complete."""
        begun = defaultdict(set)
        for user, cohort in self.cohort.items():
            begun[self.calendar.start(cohort, grain)].add(user)
        last = {
            "day": self.rules.horizon,
            "week": self.rules.horizon // 7,
            "month": self.rules.horizon // 30,
        }[grain]
        periods = {
            user: {self.calendar.start(day, grain) for day in days}
            for user, days in self.active.items()
        }
        cells = {}
        for cohort, members in begun.items():
            next_cohort = self.calendar.later(cohort, 1, grain)
            for number in range(last + 1):
                period = self.calendar.later(cohort, number, grain)
                end = self.calendar.later(cohort, number + 1, grain) - DAY
                is_mature = end <= self.watermark
                retained = sum(period in periods[user] for user in members)
                cells[cohort, number] = (
                    len(members),
                    len(members) if is_mature else 0,
                    retained if is_mature else 0,
                    is_mature,
                    cohort >= self.first_day
                    and next_cohort - DAY <= self.watermark,
                )
        return cells

    def curve(self, play_days):
        """(set, day number): eligible, retained, plays so far.

        `play_days` counts the plays that begin on a day, by user and day.
        """
        found = {}
        for name, last in (
            ("eligible", self.rules.horizon),
            ("fixed", self.rules.fixed),
        ):
            for number in range(last + 1):
                members = [
                    user
                    for user, cohort in self.cohort.items()
                    if cohort
                    + (self.rules.fixed if name == "fixed" else number) * DAY
                    <= self.watermark
                ]
                if members:
                    found[name, number] = (
                        len(members),
                        sum(
                            self.cohort[user] + number * DAY
                            in self.active[user]
                            for user in members
                        ),
                        sum(
                            play_days[user, self.cohort[user] + passed * DAY]
                            for user in members
                            for passed in range(number + 1)
                        ),
                    )
        return found

    def lifetimes(self):
        """user: churned, lifetime, cohort; of those followed for a day."""
        found = {}
        length = self.rules.churn_after
        for user, cohort in self.cohort.items():
            followed = (self.watermark - cohort).days - length + 1
            # Days of which so many after them are silent.
            last_days = [
                number
                for number in range(followed)
                if not any(
                    cohort + (number + passed) * DAY in self.active[user]
                    for passed in range(1, length + 1)
                )
            ]
            if followed >= 1:
                found[user] = (
                    bool(last_days),
                    last_days[0] + 1 if last_days else followed,
                    cohort,
                )
        return found

    def survival(self):
        """Day number: at risk, churned, censored, share that lives longer."""
        lives = self.lifetimes().values()
        found, share = {}, 1.0
        for number in range(
            min(max(lived for _, lived, _ in lives), self.rules.horizon) + 1
        ):
            at_risk = sum(lived >= number for _, lived, _ in lives)
            churned = sum(
                is_churned for is_churned, lived, _ in lives if lived == number
            )
            ended = sum(lived == number for _, lived, _ in lives)
            share *= 1 - churned / at_risk
            found[number] = (at_risk, churned, ended - churned, share)
        return found

    def streaks(self):
        """(user, ordinal): length, first and last day, whether open."""
        found = {}
        for user, days in self.active.items():
            ordinal = 0
            for day in sorted(days):
                if day - DAY in days or day > self.watermark:
                    continue
                ordinal += 1
                last = day
                while last + DAY in days and last < self.watermark:
                    last += DAY
                found[user, ordinal] = (
                    (last - day).days + 1,
                    day,
                    last,
                    last == self.watermark,
                )
        return found

    def tenure(self):
        """(week, band): complete, active users; bands from 1, then the old."""
        edges = (0, *self.rules.tenure_bands)
        found = {}
        for day in self.days:
            week = self.calendar.start(day, "week")
            is_complete = (
                week >= self.first_day and week + 6 * DAY <= self.watermark
            )
            for band in range(1, len(edges) + 2):
                found[week, band] = (is_complete, 0)
        for user, days in self.active.items():
            for week in {self.calendar.start(day, "week") for day in days}:
                if user in self.established:
                    band = len(edges) + 1
                else:
                    age = (week + 6 * DAY - self.cohort[user]).days
                    band = sum(age >= edge for edge in edges)
                is_complete, count = found[week, band]
                found[week, band] = (is_complete, count + 1)
        return found

    # --- who is there ---------------------------------------------------------

    def user_days(self):
        """(user, day): active, new, day number, events."""
        counts = Counter(
            (user, self.calendar.day(at)) for user, _, at in self.events
        )
        return {
            (user, day): (
                day in self.active.get(user, ()),
                user in self.cohort,
                (day - self.cohort[user]).days if user in self.cohort else None,
                count,
            )
            for (user, day), count in counts.items()
        }

    @cached_property
    def present(self):
        """Active users, by day of the log."""
        found = {day: set() for day in self.days}
        for user, days in self.active.items():
            for day in days:
                found[day].add(user)
        return found

    def active_users(self):
        """Day: complete; users of the day, week and month; mean, stickiness."""
        month = self.rules.active_window
        found = {}
        for place, day in enumerate(self.days, start=1):
            windows = [
                [
                    self.present[each]
                    for each in self.days[place - width : place]
                ]
                if place >= width
                else None
                for width in (1, 7, month)
            ]
            users = [each and len(set().union(*each)) for each in windows]
            mean = stickiness = None
            if place >= month:
                user_days = sum(map(len, windows[-1]))
                mean = user_days / month
                stickiness = share(user_days, users[-1] * month)
            found[day] = (day <= self.watermark, *users, mean, stickiness)
        return found

    def frequency(self):
        """(width, last day, active days): users of exactly, of at least so
        many, of all; and the shares."""
        found = {}
        for width in (7, self.rules.active_window):
            end = self.watermark
            while end - (width - 1) * DAY >= self.first_day:
                counts = Counter(
                    user
                    for passed in range(width)
                    for user in self.present[end - passed * DAY]
                ).values()
                for number in range(1, width + 1):
                    exactly = sum(count == number for count in counts)
                    at_least = sum(count >= number for count in counts)
                    found[width, end, number] = (
                        exactly,
                        at_least,
                        len(counts),
                        share(exactly, len(counts)),
                        share(at_least, len(counts)),
                    )
                end -= width * DAY
        return found

    def growth(self, grain):
        """Start: end, whether complete and the first; active, before, new,
        kept, back, gone and dormant users; new and back over gone."""
        periods = defaultdict(set)
        for day, users in self.present.items():
            periods[self.calendar.start(day, grain)] |= users
        found, before, seen = {}, None, set()
        for start, now in sorted(periods.items()):
            end = self.calendar.later(start, 1, grain) - DAY
            new = {
                user
                for user in now
                if user in self.cohort
                and self.calendar.start(self.cohort[user], grain) == start
            }
            row = [None, len(new), *[None] * 5]
            if before is not None:
                back, gone = now - before - new, before - now
                row = [
                    len(before),
                    len(new),
                    len(now & before),
                    len(back),
                    len(gone),
                    len(seen - before - now),
                    share(len(new) + len(back), len(gone)),
                ]
            is_complete = start >= self.first_day and end <= self.watermark
            found[start] = (end, is_complete, before is None, len(now), *row)
            before, seen = now, seen | now
        return found

    # --- sign-up to return ----------------------------------------------------

    def onboarding(self, milestones):
        """user: state, mature, instants of the steps that were reached.

        `milestones` are a user's first valid play and second genre, instants
        or None. A step counts when it comes after the one before, at once or
        later, in the window, and on a day that is loaded whole.
        """
        window = self.rules.onboarding_window * DAY
        found = {}
        for user, signed_up in self.users.items():
            if (
                not signed_up
                or user in self.established
                or signed_up >= self.end_of_log
            ):
                continue
            next_day = [
                at
                for at in milestones[user].starts
                if self.calendar.day(at) == self.cohort[user] + DAY
            ]
            steps = [signed_up]
            for at in (
                milestones[user].first_valid_play,
                milestones[user].second_genre,
                min(next_day, default=None),
            ):
                if (
                    at is None
                    or at < steps[-1]
                    or at - signed_up > window
                    or at >= self.end_of_log
                ):
                    break
                steps.append(at)
            is_mature = self.end_of_log - signed_up > window
            state = "dropped" if is_mature else "pending"
            if len(steps) == 4:
                state = "converted"
            found[user] = (state, is_mature, *steps, *[None] * (4 - len(steps)))
        return found
