"""What a ride costs: pure arithmetic over whole seconds and integer cents, VAT included.

The order of the steps is the promise shown to the rider (docs/pricing.md):

1. Seconds become started minutes, once per kind (riding, paused) and elapsed 24 hours; a minute costs
   what it costs at the instant at which it begins.
2. Passes: the unlocking and the first minutes of riding may be free.
3. Time costs the cheapest of every minute by itself, blocks ("12 € an hour", which also cover pauses if
   that is cheaper) and packages ("50 € for a day and 100 km"); or steps ("each started half hour").
4. A code takes its share or amount off, then a verified discount its percent.
5. Caps come last: every elapsed 24 hours at most the day cap, of which the first includes the
   unlocking; all rides of the person in 24 hours; the whole trip. A discount lowers them alike.
6. Reserved minutes, kilometres over the allowance and zones come on top; a zone's discount never makes
   a price negative.

A later end never makes a trip cheaper.
"""

import dataclasses
import datetime
import enum
from collections import Counter
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bookings.pricing.rules.blocks import (
    block_cents,
    cheapest_cover,
    started_steps,
    steps_cents,
)
from bookings.pricing.rules.fares import Fare
from bookings.pricing.rules.minutes import (
    Day,
    Segment,
    SegmentKind,
    counted,
    minutes_by_day,
    ridden_s,
    started_minutes,
    unlock_cents,
    without_first,
)
from bookings.pricing.rules.perks import (
    Perk,
    PerkKind,
    fewest,
    lowered,
    only,
    percent_of,
    share_minutes,
    take_off,
)
from bookings.pricing.rules.terms import Package, ZoneMark
from mobility.core.money import PriceLine, round_cents, total_cents

# A ride this short that went nowhere was a vehicle that did not work; nobody pays for it.
FALSE_START_M = 100
# What unlocking, minutes and caps come to: the part that day caps of a person look at.
TIME_KINDS = frozenset(
    {"unlock", "ride", "pause", "step", "package", "pass", "best_of", "promo", "discount", "cap"}
)
# Any instant does where no clock decides the price.
SOME_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

RUNNING, PAUSED = SegmentKind.RUNNING, SegmentKind.PAUSED


class FeeKind(enum.StrEnum):
    """Fees that a tariff may ask for besides rides."""

    NO_SHOW = "no_show"
    LATE_CANCEL = "late_cancel"
    OVERSTAY = "overstay"


def price_trip(
    *,
    fare: Fare,
    segments: Sequence[Segment],
    hold_s: int = 0,
    distance_m: int = 0,
    zones: Sequence[ZoneMark] = (),
    perks: Sequence[Perk] = (),
) -> tuple[PriceLine, ...]:
    """The lines of a trip's price in gross cents; no lines means that nothing is due.

    `segments` are in order and do not overlap, `hold_s` is the time reserved before the start,
    `distance_m` the metres ridden, `zones` where it started and ended, `perks` as frozen at the claim.
    """
    false_start = 0 < fare.grace_s >= ridden_s(segments) and distance_m <= FALSE_START_M
    if not segments or false_start:
        return ()
    ride = _Ride.of(fare, segments, perks)
    lines = _cheapest(ride, distance_m=distance_m, hold_s=hold_s)
    return (*lines, *_zone_lines(fare, zones, due=total_cents(lines)))


def estimate(
    *,
    fare: Fare,
    minutes: int,
    at: datetime.datetime | None = None,
    distance_m: int = 0,
    perks: Sequence[Perk] = (),
) -> tuple[PriceLine, ...]:
    """The lines of an unbroken ride of `minutes` that begins `at`, or at the dearest hour."""
    start = at or SOME_DAY
    asked = fare if at else fare.at_its_dearest()
    end = start + datetime.timedelta(minutes=minutes)
    ride = _Ride.of(asked, [Segment(kind=RUNNING, start=start, end=end)], perks)
    return tuple(_cheapest(ride, distance_m=distance_m, hold_s=0))


def time_cents(lines: Sequence[PriceLine]) -> int:
    """What unlocking and time came to after all caps."""
    return sum(line.cents for line in lines if line.kind in TIME_KINDS)


def reward_lines(
    *, fare: Fare, perks: Sequence[Perk], lines: Sequence[PriceLine]
) -> tuple[PriceLine, ...]:
    """What earned rewards take off a priced trip, after everything else and never below nothing.

    A discount at the trip's own VAT rate: what is not paid was never part of the price.
    """
    due, found = total_cents(lines), []
    for perk in perks:
        off = min(perk.cents, due) if perk.kind is PerkKind.REWARD else 0
        if off > 0:
            due -= off
            found.append(_line(fare, "reward", Decimal(1), "trip", -off, ref=perk.ref))
    return tuple(found)


def hold_lines(*, fare: Fare, hold_s: int) -> tuple[PriceLine, ...]:
    """Reserved minutes beyond the free ones."""
    paid = started_minutes(hold_s) - fare.hold_free_minutes
    if paid <= 0 or not fare.hold_minute_cents:
        return ()
    return (_line(fare, "hold", Decimal(paid), "min", paid * fare.hold_minute_cents),)


def fee_lines(*, fare: Fare, kind: FeeKind) -> tuple[PriceLine, ...]:
    """A fee of the tariff; no line if it asks nothing for this."""
    cents = {
        FeeKind.NO_SHOW: fare.no_show_cents,
        FeeKind.LATE_CANCEL: fare.late_cancel_cents,
        FeeKind.OVERSTAY: fare.overstay_cents,
    }[kind]
    return (_line(fare, str(kind), Decimal(1), "trip", cents),) if cents else ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Ride:
    """A ride in minutes, with what it is to be priced by."""

    fare: Fare
    days: Sequence[Day]
    unlock: int
    perks: Sequence[Perk]
    discount: int

    @classmethod
    def of(cls, fare: Fare, segments: Sequence[Segment], perks: Sequence[Perk]) -> "_Ride":
        return cls(
            fare=fare,
            days=minutes_by_day(fare=fare, segments=segments),
            unlock=unlock_cents(fare, at=segments[0].start),
            perks=perks,
            discount=fare.discount_pct if only(perks, PerkKind.DISCOUNT) else 0,
        )

    @property
    def unlocker(self) -> Perk | None:
        """The pass with which unlocking is free."""
        return next((perk for perk in self.perks if perk.unlock), None)


def _cheapest(ride: _Ride, *, distance_m: int, hold_s: int) -> list[PriceLine]:
    """By minutes or as a package: the lines of whichever offer costs least for time and way."""
    offers = [_by_minutes(ride, distance_m)]
    offers += [_as_package(ride, package, distance_m) for package in ride.fare.packages]
    time, way = min(offers, key=lambda offer: total_cents([*offer[0], *offer[1]]))
    return [*time, *hold_lines(fare=ride.fare, hold_s=hold_s), *way]


def _by_minutes(ride: _Ride, distance_m: int) -> tuple[list[PriceLine], list[PriceLine]]:
    most = sum(perk.minutes for perk in ride.perks)
    free = 0
    if most:
        most = min(most, counted(ride.days, RUNNING))
        free = fewest(lambda minutes: _due(ride, _day_cents(ride, minutes)), most=most)
    lines = [*_unlock_lines(ride), *_minute_lines(ride), *_pass_lines(ride, free)]
    return (
        _reduced(ride, lines, _day_cents(ride, free)),
        _distance_line(ride.fare, distance_m, free_km=ride.fare.free_km),
    )


def _as_package(
    ride: _Ride, package: Package, distance_m: int
) -> tuple[list[PriceLine], list[PriceLine]]:
    fare = ride.fare
    extra = max(0, counted(ride.days, RUNNING, PAUSED) - package.minutes)
    params = {"minutes": package.minutes, "km": package.km}
    lines = [
        *_unlock_lines(ride),
        _line(fare, "package", Decimal(1), "trip", package.cents, **params),
    ]
    if extra:
        lines.append(_line(fare, "ride", Decimal(extra), "min", extra * fare.minute_cents))
    way = _distance_line(fare, distance_m, free_km=package.km)
    # A package is not cut into days, and no day cap looks at it.
    return _reduced(ride, lines, [total_cents(lines)], day_caps=False), way


def _unlock_lines(ride: _Ride) -> list[PriceLine]:
    if not ride.unlock:
        return []
    lines = [_line(ride.fare, "unlock", Decimal(1), "trip", ride.unlock)]
    if ride.unlocker:
        ref = {"ref": ride.unlocker.ref}
        lines.append(_line(ride.fare, "pass", Decimal(1), "trip", -ride.unlock, **ref))
    return lines


def _minute_lines(ride: _Ride) -> list[PriceLine]:
    """Every minute by itself: a line for riding and one for pauses, by rate where the clock decides."""
    fare = ride.fare
    if fare.steps:
        return _step_lines(fare, counted(ride.days, RUNNING, PAUSED))
    by_rate: Counter[tuple[SegmentKind, int]] = Counter()
    if not fare.windows:
        by_rate[RUNNING, fare.minute_cents] = 0
    for day in ride.days:
        for run in day:
            by_rate[run.kind, run.cents] += run.count
    lines = []
    for (kind, cents), count in sorted(by_rate.items(), key=lambda row: row[0][0] is PAUSED):
        params = {"minute_cents": cents} if fare.windows else {}
        name = "pause" if kind is PAUSED else "ride"
        lines.append(_line(fare, name, Decimal(count), "min", count * cents, **params))
    return lines


def _step_lines(fare: Fare, minutes: int) -> list[PriceLine]:
    return [
        _line(fare, "step", Decimal(count), "step", count * step.cents, minutes=step.minutes)
        for count, step in started_steps(minutes=minutes, steps=fare.steps)
        if count
    ]


def _pass_lines(ride: _Ride, free: int) -> list[PriceLine]:
    """What the free minutes would have cost by themselves, a line for each perk they come from."""
    lines, given = [], 0
    for cut in share_minutes(minutes=free, perks=ride.perks):
        worth = _worth(ride, given + cut.minutes) - _worth(ride, given)
        given += cut.minutes
        ref, name = {"ref": cut.perk.ref}, str(cut.perk.kind)
        lines.append(_line(ride.fare, name, Decimal(cut.minutes), "min", -worth, **ref))
    return lines


def _worth(ride: _Ride, free: int) -> int:
    if ride.fare.steps:
        return steps_cents(minutes=free, steps=ride.fare.steps)
    return _sum(ride.days) - _sum(without_first(ride.days, free))


def _sum(days: Sequence[Day]) -> int:
    return sum(run.count * run.cents for day in days for run in day)


def _day_cents(ride: _Ride, free: int) -> list[int]:
    """The cheapest price of each elapsed 24 hours when the first `free` minutes are; unlocking included."""
    each = _stepped(ride, free) if ride.fare.steps else _blocked(ride, free)
    each[0] += 0 if ride.unlocker else ride.unlock
    return each


def _stepped(ride: _Ride, free: int) -> list[int]:
    """Steps go on over midnight of the ride: a day costs what it adds."""
    each, done = [], free
    for number in range(len(ride.days)):
        minutes = max(free, counted(ride.days[: number + 1], RUNNING, PAUSED))
        each.append(
            steps_cents(minutes=minutes, steps=ride.fare.steps)
            - steps_cents(minutes=done, steps=ride.fare.steps)
        )
        done = minutes
    return each


def _blocked(ride: _Ride, free: int) -> list[int]:
    days = without_first(ride.days, free) if free else ride.days
    return [_best_of_day(ride.fare, day) for day in days]


def _best_of_day(fare: Fare, day: Day) -> int:
    if not fare.blocks:
        return _sum([day])
    pauses = _sum([tuple(run for run in day if run.kind is PAUSED)])
    if fare.windows:
        riding = [run.cents for run in day if run.kind is RUNNING for _ in range(run.count)]
        together = [run.cents for run in day for _ in range(run.count)]
        return min(
            cheapest_cover(rates=riding, blocks=fare.blocks) + pauses,
            cheapest_cover(rates=together, blocks=fare.blocks),
        )
    running, paused = counted([day], RUNNING), counted([day], PAUSED)
    apart = block_cents(minutes=running, minute_cents=fare.minute_cents, blocks=fare.blocks)
    both = block_cents(minutes=running + paused, minute_cents=fare.minute_cents, blocks=fare.blocks)
    return min(apart + pauses, both)


def _reduced(
    ride: _Ride, lines: list[PriceLine], each: list[int], *, day_caps: bool = True
) -> list[PriceLine]:
    """`lines` with what blocks, code, discount and caps take off again, each as one line."""
    fare = ride.fare
    reduced = list(lines)
    promo = only(ride.perks, PerkKind.PROMO)
    after_code = take_off(each, promo)
    after_discount = _discounted(ride, after_code)
    due = _capped(ride, after_discount, day_caps=day_caps)
    stages: tuple[tuple[str, int, int, dict[str, Any]], ...] = (
        ("best_of", total_cents(lines), sum(each), {}),
        ("promo", sum(each), sum(after_code), {"ref": promo.ref} if promo else {}),
        ("discount", sum(after_code), sum(after_discount), {"percent": ride.discount}),
        ("cap", sum(after_discount), due, {}),
    )
    for kind, before, after, params in stages:
        if after != before:
            reduced.append(_line(fare, kind, Decimal(1), "trip", after - before, **params))
    return reduced


def _due(ride: _Ride, each: list[int]) -> int:
    promo = only(ride.perks, PerkKind.PROMO)
    return _capped(ride, _discounted(ride, take_off(each, promo)), day_caps=True)


def _discounted(ride: _Ride, each: Sequence[int]) -> list[int]:
    return [cents - percent_of(cents, ride.discount) for cents in each]


def _capped(ride: _Ride, each: Sequence[int], *, day_caps: bool) -> int:
    fare = ride.fare
    caps = [lowered(fare.trip_cap_cents, ride.discount), _left_today(ride)]
    day_cap = lowered(fare.day_cap_cents, ride.discount) if day_caps else None
    due = sum(each) if day_cap is None else sum(min(cents, day_cap) for cents in each)
    return min(due, *(cap for cap in caps if cap is not None), due)


def _left_today(ride: _Ride) -> int | None:
    """What the person's rides may still cost: the rest of this day, and a whole cap for each further one."""
    left = only(ride.perks, PerkKind.DAY_CAP)
    if left is None:
        return None
    whole = lowered(ride.fare.person_day_cap_cents, ride.discount) or left.cents
    return left.cents + (len(ride.days) - 1) * whole


def _distance_line(fare: Fare, distance_m: int, *, free_km: int) -> list[PriceLine]:
    over = Decimal(distance_m) / 1000 - free_km
    # Hundred metres are what positions can honestly tell.
    over = over.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    if over <= 0 or not fare.km_cents:
        return []
    return [_line(fare, "distance", over, "km", round_cents(over * fare.km_cents))]


def _zone_lines(fare: Fare, marks: Sequence[ZoneMark], *, due: int) -> list[PriceLine]:
    """Each fee that a zone meets, once; what is added comes before what is taken off."""
    met = [fee for fee in fare.zone_fees if any(mark.meets(fee) for mark in marks)]
    lines = []
    for fee in sorted(met, key=lambda fee: fee.cents < 0):
        cents = max(fee.cents, -due)
        due += cents
        if cents:
            params = {"when": str(fee.when), "code": fee.code, "zone_kind": fee.kind}
            lines.append(_line(fare, "zone", Decimal(1), "trip", cents, **params))
    return lines


def _line(
    fare: Fare, kind: str, quantity: Decimal, unit: str, cents: int, **params: Any
) -> PriceLine:
    return PriceLine(
        kind=kind,
        quantity=quantity,
        unit=unit,
        cents=cents,
        vat_rate=fare.vat_rate,
        params=params,
    )
