"""What a trip costs, so far or in the end."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bookings.pricing.rules import Perk, ZoneMark, price_trip
from bookings.trips import rules
from bookings.trips.models import Trip
from bookings.trips.states import Waiver
from mobility.core.money import PriceLine, total_cents

WAIVED_UNLOCK = "waived_unlock"


def price_lines(*, trip: Trip, at: datetime.datetime, distance_m: int = 0) -> tuple[PriceLine, ...]:
    """The price of a trip so far, or as it stands when its meter does.

    Kilometres count only in the final price: the way is known for sure only afterwards.
    """
    if trip.started_at is None or trip.waiver == Waiver.ALL:
        return ()
    fare = trip.reservation.fare
    terms = price_terms(trip=trip, at=at, distance_m=distance_m)
    return waived(price_trip(fare=fare, **terms), waiver=trip.waiver)


def price_terms(*, trip: Trip, at: datetime.datetime, distance_m: int) -> dict[str, Any]:
    """What the price rules ask about a trip, beside its fare."""
    held = trip.reservation
    # A start just after the expiry still counts; the moment of grace costs nothing.
    hold_s = int((min(trip.requested_at, held.expires_at) - held.reserved_at).total_seconds())
    return {
        "segments": rules.segments(trip.stretches, at=at),
        "hold_s": hold_s,
        "distance_m": distance_m,
        "zones": tuple(ZoneMark(**mark) for mark in trip.zones),
        "perks": frozen_perks(trip),
    }


def frozen_perks(trip: Trip) -> tuple[Perk, ...]:
    """What the rider had to their credit when the ride was claimed."""
    return tuple(Perk.from_json(perk) for perk in trip.reservation.perks)


def waived(lines: Sequence[PriceLine], *, waiver: str) -> tuple[PriceLine, ...]:
    """The lines with what is not asked for taken off again, never below nothing."""
    if waiver == Waiver.ALL:
        return ()
    unlock = next((line for line in lines if line.kind == "unlock"), None)
    off = min(unlock.cents, total_cents(lines)) if unlock is not None else 0
    if waiver != Waiver.UNLOCK or unlock is None or off <= 0:
        return tuple(lines)
    line = PriceLine(
        kind=WAIVED_UNLOCK, quantity=Decimal(1), unit="trip", cents=-off, vat_rate=unlock.vat_rate
    )
    return (*lines, line)
