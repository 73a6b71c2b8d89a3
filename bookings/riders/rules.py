"""Who may ride: pure judgement over what an operator asks and what is known of a person.

Days are the city's: a document is good until the end of its last day in Europe/Rome.
"""

import dataclasses
import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from mobility.core import clock

# Directive 2006/126/EC, article 4; a category opens those behind it (article 6).
CATEGORIES = (
    "AM", "A1", "A2", "A", "B1", "B", "BE", "C1", "C1E", "C", "CE", "D1", "D1E", "D", "DE",
)  # fmt: skip
_OPENS: dict[str, frozenset[str]] = {
    "A1": frozenset({"AM"}),
    "A2": frozenset({"A1", "AM"}),
    "A": frozenset({"A2", "A1", "AM"}),
    "B1": frozenset({"AM"}),
    "B": frozenset({"B1", "AM"}),
}
# Every lorry and bus licence stands on a B.
_OPENS |= {
    name: frozenset({"B", "B1", "AM"}) for name in CATEGORIES if name[0] in "CD" or name == "BE"
}
WARN_DAYS = (30, 7)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demands:
    """What an operator asks of who rides one kind of vehicle."""

    identity_required: bool = False
    licence_category: str = ""
    held_at_least_months: int = 0
    minimum_age: int = 0
    novice_months: int = 0
    novice_excluded_types: Sequence[str] = ()


# Without a policy of the operator: whoever drives a car shows a licence, everything else is free.
NO_DEMANDS = Demands()
CAR_DEMANDS = Demands(licence_category="B")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Licence:
    """A verified licence."""

    valid_until: datetime.date
    held_since: datetime.date
    categories: Sequence[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Block:
    """A block that nobody has lifted."""

    reason: str
    until: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of a person at this moment."""

    active: bool = True
    birth_date: datetime.date | None = None
    identity_until: datetime.date | None = None
    licence: Licence | None = None
    unread: Sequence[str] = ()
    blocks: Sequence[Block] = ()


@dataclasses.dataclass(frozen=True)
class Obstacle:
    """Something in the way of a ride; one that does not block is a warning."""

    code: str
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    blocking: bool = True

    @property
    def message(self) -> str:
        """What is the matter, in the active language."""
        return str(_TEXTS[self.code][0]) % self.params

    @property
    def hint(self) -> str:
        """What the person can do about it."""
        return str(_TEXTS[self.code][1]) % self.params

    def as_json(self) -> dict[str, Any]:
        """For programs and people at once."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "blocking": self.blocking,
            "params": self.params,
        }


def demands_without_policy(kind: str) -> Demands:
    """What is asked where an operator has said nothing about vehicles of `kind`."""
    return CAR_DEMANDS if kind == "car" else NO_DEMANDS


def covers(categories: Iterable[str], wanted: str) -> bool:
    """Whether a licence of `categories` lets one drive what needs `wanted`."""
    return any(one == wanted or wanted in _OPENS.get(one, ()) for one in categories)


def months_between(start: datetime.date, end: datetime.date) -> int:
    """Whole months from `start` to `end`; a month is over on the same day, or the last of a short one."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if end.day < start.day and end.day < _last_of_month(end):
        months -= 1
    return months


def age_on(birth_date: datetime.date, day: datetime.date) -> int:
    """Completed years of life; who was born on 29 February is a year older on 1 March of other years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def obstacles_of(
    *,
    demands: Demands,
    standing: Standing,
    at: datetime.datetime,
    ends_at: datetime.datetime | None = None,
    type_code: str = "",
) -> tuple[Obstacle, ...]:
    """Everything in the way of a ride that begins `at`, all at once; empty for whoever is fit.

    A document that is good at the beginning and not until `ends_at` is a warning: the ride of a later
    day is judged again when it starts.
    """
    day = clock.service_day(at)
    last_day = clock.service_day(ends_at) if ends_at else day
    found = [*_blocks(standing, at), *_age(demands, standing, day)]
    found += _identity(demands, standing, day, last_day)
    found += _licence(demands, standing, day, last_day, type_code)
    found += [Obstacle("acknowledgement_missing", {"kind": kind}) for kind in standing.unread]
    return tuple(found)


def warning_due(
    *, valid_until: datetime.date, warned_days: int | None, day: datetime.date
) -> int | None:
    """The nearest warning (30 or 7 days ahead) that is due on `day` and has not gone out, or None."""
    left = (valid_until - day).days
    due = min((days for days in WARN_DAYS if left <= days), default=None)
    if due is None or left < 0 or (warned_days is not None and warned_days <= due):
        return None
    return due


def _last_of_month(day: datetime.date) -> int:
    following = day.replace(day=28) + datetime.timedelta(days=4)
    return (following - datetime.timedelta(days=following.day)).day


def _blocks(standing: Standing, at: datetime.datetime) -> list[Obstacle]:
    found = [] if standing.active else [Obstacle("account_closed")]
    for block in standing.blocks:
        if block.until is None:
            found.append(Obstacle("blocked", {"reason": block.reason}))
        elif block.until > at:
            until = clock.local(block.until).isoformat(timespec="minutes")
            found.append(Obstacle("blocked_until", {"reason": block.reason, "until": until}))
    return found


def _age(demands: Demands, standing: Standing, day: datetime.date) -> list[Obstacle]:
    if not demands.minimum_age:
        return []
    if standing.birth_date is None:
        return [Obstacle("birth_date_missing")]
    if age_on(standing.birth_date, day) < demands.minimum_age:
        return [Obstacle("too_young", {"years": demands.minimum_age})]
    return []


def _identity(
    demands: Demands, standing: Standing, day: datetime.date, last_day: datetime.date
) -> list[Obstacle]:
    if not demands.identity_required:
        return []
    return _until("identity", standing.identity_until, day, last_day)


def _licence(
    demands: Demands,
    standing: Standing,
    day: datetime.date,
    last_day: datetime.date,
    type_code: str,
) -> list[Obstacle]:
    if not demands.licence_category:
        return []
    licence = standing.licence
    if licence is None or licence.valid_until < day:
        return _until("licence", licence.valid_until if licence else None, day, last_day)
    found = _until("licence", licence.valid_until, day, last_day)
    if not covers(licence.categories, demands.licence_category):
        found.append(Obstacle("licence_category", {"category": demands.licence_category}))
    held = months_between(licence.held_since, day)
    if held < demands.held_at_least_months:
        found.append(Obstacle("licence_too_new", {"months": demands.held_at_least_months}))
    elif held < demands.novice_months and type_code in demands.novice_excluded_types:
        found.append(Obstacle("not_for_novices", {"months": demands.novice_months}))
    return found


def _until(
    what: str, valid_until: datetime.date | None, day: datetime.date, last_day: datetime.date
) -> list[Obstacle]:
    if valid_until is None:
        return [Obstacle(f"{what}_required")]
    if valid_until < day:
        return [Obstacle(f"{what}_expired", {"on": valid_until.isoformat()})]
    if valid_until < last_day:
        return [Obstacle(f"{what}_expires", {"on": valid_until.isoformat()}, blocking=False)]
    return []


_TEXTS: dict[str, tuple[str | Promise, str | Promise]] = {
    "account_closed": (
        _("This account is closed."),
        _("Write to support if you did not close it."),
    ),
    "blocked": (
        _("You may not ride at the moment."),
        _("Write to support to clear this up."),
    ),
    "blocked_until": (
        _("You may not ride until %(until)s."),
        _("It lifts by itself; write to support if you think it is wrong."),
    ),
    "birth_date_missing": (
        _("We do not know your date of birth."),
        _("Add it to your profile."),
    ),
    "too_young": (
        _("These vehicles are for people of %(years)d years and more."),
        _("Look for another kind of vehicle."),
    ),
    "identity_required": (
        _("Your identity must be verified first."),
        _("Send a picture of your identity document; we tell you when it has been checked."),
    ),
    "identity_pending": (
        _("Your identity document is being checked."),
        _("We tell you as soon as it is done."),
    ),
    "identity_rejected": (
        _("Your identity document was not accepted."),
        _("Send it again; the reason stands beside your documents."),
    ),
    "identity_expired": (
        _("Your identity document has expired (%(on)s)."),
        _("Send the new one."),
    ),
    "identity_expires": (
        _("Your identity document expires on %(on)s, before the end of this ride."),
        _("Send the new one in time; otherwise the ride is cancelled free of charge."),
    ),
    "licence_required": (
        _("Your driving licence must be verified first."),
        _("Send pictures of both sides; we tell you when it has been checked."),
    ),
    "licence_pending": (
        _("Your driving licence is being checked."),
        _("We tell you as soon as it is done."),
    ),
    "licence_rejected": (
        _("Your driving licence was not accepted."),
        _("Send it again; the reason stands beside your documents."),
    ),
    "licence_expired": (
        _("Your driving licence has expired (%(on)s)."),
        _("Send the new one."),
    ),
    "licence_expires": (
        _("Your driving licence expires on %(on)s, before the end of this ride."),
        _("Send the new one in time; otherwise the ride is cancelled free of charge."),
    ),
    "licence_category": (
        _("Your licence does not include category %(category)s."),
        _("Send a new licence if you have the category by now."),
    ),
    "licence_too_new": (
        _("The licence must have been held for %(months)d months."),
        _("Look for another kind of vehicle until then."),
    ),
    "not_for_novices": (
        _("This model is not for drivers in their first %(months)d months."),
        _("Look for another model."),
    ),
    "acknowledgement_missing": (
        _("There are rules that you have not confirmed yet."),
        _("Read and confirm them, then ride."),
    ),
    "debt": (
        _("A payment is outstanding."),
        _("Pay it in your account; then you can ride at once."),
    ),
}
