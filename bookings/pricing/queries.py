"""Reads of prices: the fare in force, and what a person is shown before anything."""

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from bookings.pricing import rules
from bookings.pricing.models import TariffVersion
from bookings.pricing.rules import Fare
from mobility.core.errors import Conflict
from mobility.core.money import total_cents, vat_split

ESTIMATE_MINUTES = 20


class NoPrice(Conflict):
    """Nobody rides at a price that nobody knows."""

    code = "no_price"
    message = _("There is no published price for this vehicle. Please choose another one.")


@dataclasses.dataclass(frozen=True)
class PricedVersion:
    """The version in force for one kind of vehicle, with its numbers."""

    version_id: int
    fare: Fare


FareBook = Mapping[tuple[int, str], PricedVersion]


def fares_in_force(*, at: datetime.datetime) -> FareBook:
    """All fares in force at `at` by (organisation id, vehicle kind), in one query.

    Where two tariffs of an organisation name the same kind, the one published for later wins.
    """
    book: dict[tuple[int, str], PricedVersion] = {}
    versions = TariffVersion.objects.in_force(at).select_related("tariff").order_by("valid", "id")
    for version in versions:
        priced = PricedVersion(version_id=version.pk, fare=version.fare())
        for kind in version.tariff.vehicle_kinds:
            book[version.tariff.organisation_id, kind] = priced
    return book


def fare_for(*, organisation_id: int, kind: str, at: datetime.datetime) -> PricedVersion:
    """The fare in force for a kind of vehicle of an organisation; raises `NoPrice`."""
    version = (
        TariffVersion.objects.in_force(at)
        .filter(tariff__organisation_id=organisation_id, tariff__vehicle_kinds__contains=[kind])
        .order_by("-valid", "-id")
        .first()
    )
    if version is None:
        raise NoPrice
    return PricedVersion(version_id=version.pk, fare=version.fare())


def price_board(fare: Fare) -> dict[str, Any]:
    """The prices a person sees next to a vehicle: gross cents, VAT included."""
    return {
        "currency": fare.currency,
        "unlock_cents": fare.unlock_cents,
        "minute_cents": fare.minute_cents,
        "pause_minute_cents": fare.pause_minute_cents,
        "hour_cents": fare.hour_cents,
        "day_cap_cents": fare.day_cap_cents,
    }


def quote(*, fare: Fare, minutes: int = ESTIMATE_MINUTES) -> dict[str, Any]:
    """The whole offer before unlocking: prices, reservation terms, and an estimate of `minutes`."""
    lines = rules.estimate(fare=fare, minutes=minutes)
    return {
        **price_board(fare),
        "trip_cap_cents": fare.trip_cap_cents,
        "km_cents": fare.km_cents,
        "free_km": fare.free_km,
        "hold_free_minutes": fare.hold_free_minutes,
        "hold_minute_cents": fare.hold_minute_cents,
        "hold_max_minutes": fare.hold_max_minutes,
        "preauth_cents": fare.preauth_cents,
        "vat_rate": str(fare.vat_rate),
        "tariff_version": fare.version,
        "estimate": {
            "minutes": minutes,
            "total_cents": total_cents(lines),
            "lines": [line.as_json() for line in lines],
            "vat": [part.as_json() for part in vat_split(lines)],
        },
    }
