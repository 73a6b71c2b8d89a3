"""The price rule beside a second one that knows nothing of it: minute by minute, by the words of OCPI.

OCPI 2.2.1, module Tariffs: §11.4.5 (the first element whose restrictions are met counts, one for each
kind), §11.4.6 (lower bounds included, upper ones excluded; hours and dates by the clock of the place).
Sessions are made of whole minutes with whole watt-hours, so that both must agree to the cent.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from charging.tariffs.rules import LoadPoint, SessionFigures, price_session, read_prices

ROME = ZoneInfo("Europe/Rome")
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Charge:
    """Whole minutes: (how many, Wh in each), then minutes of parking."""

    start: datetime
    flows: tuple[tuple[int, int], ...]
    parked: int

    @property
    def minutes(self) -> list[tuple[bool, int]]:
        """Whether it charges, and the Wh of every minute."""
        charging = [(True, wh) for count, wh in self.flows for _ in range(count)]
        return charging + [(False, 0)] * self.parked

    def figures(self) -> SessionFigures:
        at, level, points = self.start, 0, []
        for count, wh in self.flows:
            at, level = at + count * MINUTE, level + count * wh
            points.append(LoadPoint(at=at, energy_wh=level))
        return SessionFigures(
            started_at=self.start,
            ended_at=at + self.parked * MINUTE,
            energy_wh=level,
            charging_ended_at=at if self.parked else None,
            points=points,
        )


def by_the_clock(when: dict[str, Any], clock: str) -> bool:
    start, end = when.get("start_time"), when.get("end_time")
    if start and end:
        return start <= clock < end if start < end else clock >= start or clock < end
    if start:
        return clock >= start
    return not end or end == "00:00" or clock < end


def applies(
    when: dict[str, Any], *, at: datetime, wh_before: int, wh_now: int, minute: int
) -> bool:
    """A minute against the restrictions, in the words of the specification."""
    today = at.strftime("%Y-%m-%d")
    measured = {
        "kwh": Fraction(wh_before, 1000),
        "power": Fraction(wh_now * 60, 1000),
        "current": Fraction(wh_now * 60, 230),
        "duration": Fraction(minute * 60),
    }
    within = all(
        Fraction(str(when.get(f"min_{name}", 0)))
        <= value
        < Fraction(str(when.get(f"max_{name}", 10**9)))
        for name, value in measured.items()
    )
    return (
        within
        and by_the_clock(when, at.strftime("%H:%M"))
        and DAYS[at.weekday()] in when.get("day_of_week", DAYS)
        and when.get("start_date", "0") <= today < when.get("end_date", "9")
    )


def slow_price(components: list[dict[str, Any]], charge: Charge) -> dict[int, Decimal]:
    """Cents by the number of the component, counted minute by minute."""
    amounts: defaultdict[int, Fraction] = defaultdict(Fraction)
    fee: int | None = None
    level = 0
    for minute, (charging, wh) in enumerate(charge.minutes):
        at = (charge.start + minute * MINUTE).astimezone(ROME)
        first: dict[str, int] = {}
        for number, component in enumerate(components):
            when = component.get("when", {})
            if applies(when, at=at, wh_before=level, wh_now=wh, minute=minute):
                first.setdefault(component["kind"], number)
        fee = first.get("flat") if fee is None else fee
        if "energy" in first:
            amounts[first["energy"]] += Fraction(wh, 1000)
        timed = "time" if charging else "idle"
        if timed in first:
            amounts[first[timed]] += 1
        level += wh
    if fee is not None:
        amounts[fee] = Fraction(1)
    rounded = {
        number: half_up(amount * Fraction(components[number]["unit_cents"]))
        for number, amount in amounts.items()
    }
    return {number: cents for number, cents in rounded.items() if cents}


def half_up(amount: Fraction) -> Decimal:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    """Some hours around any day, the two changes of the clock more often than chance would."""
    day = draw(
        st.sampled_from(
            [datetime(2027, 3, 27, 22, tzinfo=UTC), datetime(2027, 10, 30, 21, tzinfo=UTC)]
        )
        | st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(
            lambda at: at.replace(second=0, microsecond=0, tzinfo=UTC)
        )
    )
    start = day + draw(st.integers(0, 300)) * MINUTE
    flows = draw(
        st.lists(
            st.tuples(st.integers(1, 240), st.sampled_from([50, 60, 120, 183, 360, 800])),
            min_size=1,
            max_size=4,
        )
    )
    return Charge(start, tuple(flows), draw(st.sampled_from([0, 0, 1, 45, 600])))


def hours() -> st.SearchStrategy[str]:
    return st.builds(
        "{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59])
    )


@st.composite
def restrictions(draw: st.DrawFn, charge: Charge) -> dict[str, Any]:
    """Conditions that often begin or cease within the charge; registers at whole minutes."""
    levels, level = [], 0
    for _charging, wh in charge.minutes:
        levels.append(level)
        level += wh
    when: dict[str, Any] = {}
    chosen = draw(
        st.sets(
            st.sampled_from(["clock", "days", "dates", "kwh", "power", "current", "duration"]),
            max_size=3,
        )
    )
    if "clock" in chosen:
        ends = draw(st.sampled_from([("start_time",), ("end_time",), ("start_time", "end_time")]))
        when |= {name: draw(hours()) for name in ends}
    if "days" in chosen:
        when["day_of_week"] = sorted(
            draw(st.sets(st.sampled_from(DAYS), min_size=1)), key=DAYS.index
        )
    if "dates" in chosen:
        today = charge.start.astimezone(ROME).date()
        first, span = draw(st.integers(-1, 1)), draw(st.integers(1, 2))
        when["start_date"] = (today + timedelta(days=first)).isoformat()
        when["end_date"] = (today + timedelta(days=first + span)).isoformat()
    bounds = {
        "kwh": st.sampled_from(levels).map(lambda wh: str(Decimal(wh) / 1000)),
        "power": st.sampled_from(["3", "3.6", "7.2", "10.98", "21.6", "48", "50"]),
        "current": st.sampled_from(["10", "16", "32", "100"]),
        "duration": st.integers(0, len(levels)).map(lambda minute: minute * 60),
    }
    for name in chosen & set(bounds):
        low, high = sorted((draw(bounds[name]), draw(bounds[name])), key=float)
        side = draw(st.sampled_from(["low", "high", "both"]))
        if side != "high":
            when[f"min_{name}"] = low
        if side == "high" or (side == "both" and float(low) < float(high)):
            when[f"max_{name}"] = high
    return {
        name: value
        for name, value in when.items()
        if not (name.startswith("max_") and float(value) == 0)
    }


@st.composite
def cases(draw: st.DrawFn) -> tuple[Charge, list[dict[str, Any]]]:
    charge = draw(charges())
    components = [
        {
            "kind": draw(st.sampled_from(["energy", "time", "idle", "flat"])),
            "unit_cents": draw(st.sampled_from(["1", "7", "33.3", "45", "0.5", "120"])),
            "vat_rate": "0.22",
            "when": draw(restrictions(charge)),
        }
        for _ in range(draw(st.integers(1, 6)))
    ]
    return charge, components


@settings(max_examples=60, deadline=None)
@given(cases())
@example(
    (
        Charge(datetime(2027, 3, 28, 0, tzinfo=UTC), ((180, 183),), 0),
        [
            {
                "kind": "energy",
                "unit_cents": "45",
                "when": {"start_time": "02:30", "end_time": "03:30"},
            },
            {"kind": "energy", "unit_cents": "1"},
        ],
    )
)
@example(
    (
        Charge(datetime(2027, 10, 30, 23, 30, tzinfo=UTC), ((240, 183),), 45),
        [
            {
                "kind": "time",
                "unit_cents": "7",
                "when": {"start_time": "02:15", "end_time": "02:45"},
            },
            {
                "kind": "energy",
                "unit_cents": "33.3",
                "when": {"min_kwh": "1.83", "max_kwh": "3.66"},
            },
            {"kind": "idle", "unit_cents": "1", "when": {"min_duration": 14_400}},
        ],
    )
)
def test_both_come_to_the_same_cent(case: tuple[Charge, list[dict[str, Any]]]) -> None:
    charge, components = case
    prices = read_prices({"components": components, "time_zone": "Europe/Rome"})
    fast: defaultdict[str, list[int]] = defaultdict(list)
    slow: defaultdict[str, list[int]] = defaultdict(list)
    for line in price_session(prices=prices, figures=charge.figures()):
        fast[line.kind].append(line.cents)
    for number, cents in sorted(slow_price(components, charge).items()):
        slow[components[number]["kind"]].append(int(cents))
    assert fast == slow


GOLDEN = [
    {"kind": "flat", "unit_cents": "50", "when": {"start_time": "08:00", "end_time": "20:00"}},
    {"kind": "energy", "unit_cents": "30", "when": {"day_of_week": ["SATURDAY", "SUNDAY"]}},
    {"kind": "energy", "unit_cents": "45", "when": {"max_kwh": "10"}},
    {"kind": "energy", "unit_cents": "40"},
    {"kind": "idle", "unit_cents": "10", "when": {"start_time": "08:00", "end_time": "20:00"}},
]


def test_a_published_tariff_by_hand() -> None:
    """Monday 19:00–21:00 local, 100 Wh a minute: 10 kWh at 45, 2 kWh at 40, then an hour of parking.

    The fee counts because the charge begins by day; of the parking 21:00–22:00 nothing does.
    """
    charge = Charge(datetime(2026, 5, 4, 17, tzinfo=UTC), ((120, 100),), 60)
    lines = price_session(prices=read_prices({"components": GOLDEN}), figures=charge.figures())
    assert [(line.kind, line.cents) for line in lines] == [
        ("flat", 50),
        ("energy", 450),
        ("energy", 80),
    ]
    # Saturday from 15:00: all 12 kWh at 30 cents, parked 17:00–18:00 by day.
    weekend = Charge(datetime(2026, 5, 9, 13, tzinfo=UTC), ((120, 100),), 60)
    lines = price_session(prices=read_prices({"components": GOLDEN}), figures=weekend.figures())
    assert [(line.kind, line.cents) for line in lines] == [
        ("flat", 50),
        ("energy", 360),
        ("idle", 600),
    ]
