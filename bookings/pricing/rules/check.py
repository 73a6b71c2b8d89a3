"""Whether the parts of a fare that staff fill in can be read, and what is wrong with which row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bookings.pricing.rules.terms import ZoneWhen
from bookings.pricing.rules.windows import minute_of_day
from mobility.core.errors import Invalid

Row = Mapping[str, Any]
Problem = str | Promise | None


class NumbersInvalid(Invalid):
    """A row of a tariff that nobody could read; `extra` names field and row (counted from 1)."""

    code = "tariff_numbers_invalid"
    message = _("Row %(row)s: %(problem)s")


class BlocksInvalid(NumbersInvalid):
    """Time blocks that nobody could read."""

    code = "tariff_blocks_invalid"


class PartsExclude(NumbersInvalid):
    """Two ways of pricing time that cannot hold at once."""

    code = "tariff_parts_exclude_each_other"
    message = _("Steps already price all of the time: leave blocks, hours and packages empty.")


def check_parts(parts: Mapping[str, Any]) -> None:
    """Refuse parts (field name → JSON value) that cannot be read or that exclude each other.

    Raises `NumbersInvalid` (of blocks `BlocksInvalid`) or `PartsExclude`.
    """
    for field, rows in parts.items():
        check_part(field, rows)
    if parts.get("steps") and any(parts.get(name) for name in ("blocks", "windows", "packages")):
        raise PartsExclude(extra={"field": "steps"})


def check_part(field: str, rows: object) -> None:
    """Refuse one part that cannot be read."""
    error = BlocksInvalid if field == "blocks" else NumbersInvalid
    if not isinstance(rows, list):
        raise error(
            extra={"field": field}, row=1, problem=str(_("This must be a list: [{…}, {…}]."))
        )
    keys, judge = _PARTS[field]
    for number, row in enumerate(rows):
        problem = _shape(row, keys) or judge(row, rows[:number], rows[number + 1 :])
        if problem:
            extra = {"field": field, "row": number + 1}
            raise error(extra=extra, row=number + 1, problem=str(problem))


def _shape(row: object, keys: frozenset[str]) -> Problem:
    if not isinstance(row, dict):
        return _('This must be an object: {"…": …}.')
    unknown = sorted(set(row) - keys)
    if unknown:
        return _("There is no “%(name)s” here.") % {"name": unknown[0]}
    return None


def _whole(row: Row, name: str, *, least: int) -> Problem:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        return _("“%(name)s” must be a whole number of at least %(least)d.") % {
            "name": name,
            "least": least,
        }
    return None


def _block(row: Row, before: Sequence[Row], _after: Sequence[Row]) -> Problem:
    wrong = _whole(row, "minutes", least=1) or _whole(row, "cents", least=1)
    if wrong or not before:
        return wrong
    if row["minutes"] <= before[-1]["minutes"] or row["cents"] < before[-1]["cents"]:
        return _("Blocks come shortest first, and a longer one is never cheaper.")
    return None


def _step(row: Row, before: Sequence[Row], after: Sequence[Row]) -> Problem:
    wrong = _whole(row, "minutes", least=1) or _whole(row, "cents", least=0)
    if wrong:
        return wrong
    if row.get("until") is None:
        return _("Only the last step goes on for ever.") if after else None
    if not after:
        return _("The last step must go on for ever: leave its end empty.")
    start = before[-1]["until"] if before else 0
    wrong = _whole(row, "until", least=start + 1)
    if not wrong and (row["until"] - start) % row["minutes"]:
        return _("The end of a step must be reached by whole steps.")
    return wrong


def _package(row: Row, _before: Sequence[Row], _after: Sequence[Row]) -> Problem:
    return (
        _whole(row, "minutes", least=1)
        or _whole({"km": 0, **row}, "km", least=0)
        or _whole(row, "cents", least=1)
    )


_PRICES = ("minute_cents", "pause_minute_cents", "unlock_cents")


def _window(row: Row, _before: Sequence[Row], _after: Sequence[Row]) -> Problem:
    prices = [name for name in _PRICES if row.get(name) is not None]
    if not prices:
        return _("Hours need a price of their own: per minute, per paused minute or for unlocking.")
    for name in prices:
        wrong = _whole(row, name, least=0)
        if wrong:
            return wrong
    return _hours(row) or _weekdays(row.get("weekdays", []))


def _hours(row: Row) -> Problem:
    try:
        start, end = minute_of_day(str(row["start"])), minute_of_day(str(row["end"]))
    except (KeyError, ValueError):
        return _("Hours are such as 07:30; the day ends at 24:00.")
    if start in {end, 1440}:
        return _("The hours need a beginning and another end.")
    return None


def _weekdays(days: object) -> Problem:
    known = isinstance(days, list) and all(type(day) is int and 1 <= day <= 7 for day in days)
    return None if known else _("“weekdays” is a list of 1 (Monday) to 7 (Sunday).")


def _zone_fee(row: Row, _before: Sequence[Row], _after: Sequence[Row]) -> Problem:
    if row.get("when") not in set(ZoneWhen):
        return _("“when” must be start or end.")
    names = [row.get("code", ""), row.get("kind", "")]
    if not any(names) or not all(isinstance(name, str) for name in names):
        return _("Name the zone by its code or by its kind.")
    cents = row.get("cents")
    if type(cents) is not int or not cents:
        return _("The amount must be a whole number of cents, negative for a discount, and not 0.")
    return None


_PARTS: dict[str, tuple[frozenset[str], Callable[[Row, Sequence[Row], Sequence[Row]], Problem]]] = {
    "blocks": (frozenset({"minutes", "cents"}), _block),
    "steps": (frozenset({"until", "minutes", "cents"}), _step),
    "packages": (frozenset({"minutes", "km", "cents"}), _package),
    "windows": (frozenset({"start", "end", "weekdays", *_PRICES}), _window),
    "zone_fees": (frozenset({"when", "code", "kind", "cents"}), _zone_fee),
}
