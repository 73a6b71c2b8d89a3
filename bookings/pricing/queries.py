"""Reads of prices: the fare in force, and what a person is shown before anything."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bookings.pricing import rules
from bookings.pricing.models import PriceLimit, TariffVersion
from bookings.pricing.rules import Fare, Perk, PerkKind, Window, ZoneFee
from fleet.vehicles.models import Vehicle
from mobility.core.errors import Conflict
from mobility.core.money import PriceLine, total_cents, vat_split
from mobility.core.prepared import prepared

ESTIMATE_MINUTES = 20
EXAMPLE_MINUTES = (10, 30, 60, 240, 1440)
# A promise of money that was not used is released when the ride is settled; banks may take a week.
PREAUTH_RELEASE_DAYS = 7


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
    version = _in_force.first(organisation_id=organisation_id, kind=kind, at=at)
    if version is None:
        raise NoPrice
    return PricedVersion(version_id=version.pk, fare=version.fare())


@prepared
def _in_force(
    *, organisation_id: int, kind: str, at: datetime.datetime
) -> "QuerySet[TariffVersion]":
    theirs = TariffVersion.objects.in_force(at).filter(
        tariff__organisation_id=organisation_id, tariff__vehicle_kinds__contains=[kind]
    )
    return theirs.order_by("-valid", "-id")[:1]


def limits_on(*, organisation_id: int, kinds: Sequence[str], during: Any) -> QuerySet[PriceLimit]:
    """The limits on an operator's prices for `kinds` of vehicles at some time in a range.

    Those of the cities in which it has vehicles; of all cities while it has none.
    """
    limits = PriceLimit.objects.filter(vehicle_kinds__overlap=kinds, valid__overlap=during)
    cities = Vehicle.objects.filter(organisation=organisation_id).values_list(
        "city__organisation", flat=True
    )
    theirs = set(cities.distinct()) - {None}
    return limits.filter(organisation__in=theirs) if theirs else limits


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


def quote(
    *,
    fare: Fare,
    minutes: int = ESTIMATE_MINUTES,
    perks: Sequence[Perk] = (),
    at: datetime.datetime | None = None,
    distance_m: int = 0,
) -> dict[str, Any]:
    """The whole offer before unlocking: prices, terms, surcharges, and an estimate of `minutes`.

    The estimate begins `at`; without it, and where the clock decides the price, at the dearest hour.
    Rewards are not in it: whether they are earned shows at the end.
    """
    lines = rules.estimate(fare=fare, minutes=minutes, at=at, distance_m=distance_m, perks=perks)
    return {
        **price_board(fare),
        "trip_cap_cents": fare.trip_cap_cents,
        "person_day_cap_cents": fare.person_day_cap_cents,
        "km_cents": fare.km_cents,
        "free_km": fare.free_km,
        **_hold_terms(fare),
        **_fees(fare),
        "steps": [dataclasses.asdict(step) for step in fare.steps],
        "packages": [dataclasses.asdict(package) for package in fare.packages],
        "surcharges": [*map(_hours, fare.windows), *map(_zone, fare.zone_fees)],
        "preauth_cents": fare.preauth_cents,
        "preauth_release_days": PREAUTH_RELEASE_DAYS,
        "vat_rate": str(fare.vat_rate),
        "tariff_version": fare.version,
        "perks": [_perk(perk, fare) for perk in perks if perk.kind is not PerkKind.REWARD],
        "estimate": {
            "minutes": minutes,
            "distance_m": distance_m,
            "total_cents": total_cents(lines),
            "lines": [line.as_json() for line in lines],
            "vat": [part.as_json() for part in vat_split(lines)],
        },
    }


def example_bills(fare: Fare) -> list[tuple[int, tuple[PriceLine, ...]]]:
    """What unbroken rides of some lengths (minutes) would cost, for whoever writes a tariff."""
    return [(minutes, rules.estimate(fare=fare, minutes=minutes)) for minutes in EXAMPLE_MINUTES]


def _hold_terms(fare: Fare) -> dict[str, int]:
    return {
        "hold_free_minutes": fare.hold_free_minutes,
        "hold_minute_cents": fare.hold_minute_cents,
        "hold_max_minutes": fare.hold_max_minutes,
        "hold_extend_minutes": fare.hold_extend_minutes,
        "hold_longest_minutes": fare.hold_longest_minutes or fare.hold_max_minutes,
    }


def _fees(fare: Fare) -> dict[str, int]:
    return {
        "no_show_cents": fare.no_show_cents,
        "late_cancel_cents": fare.late_cancel_cents,
        "free_cancel_before_h": fare.free_cancel_before_h,
        "overstay_cents": fare.overstay_cents,
    }


def _hours(window: Window) -> dict[str, Any]:
    return {"kind": "hours", **dataclasses.asdict(window)}


def _zone(fee: ZoneFee) -> dict[str, Any]:
    return {
        "kind": "zone",
        "when": str(fee.when),
        "zone_code": fee.code,
        "zone_kind": fee.kind,
        "cents": fee.cents,
    }


def _perk(perk: Perk, fare: Fare) -> dict[str, Any]:
    discount = perk.kind is PerkKind.DISCOUNT
    return {
        "kind": str(perk.kind),
        "id": perk.ref or None,
        "minutes": perk.minutes,
        "unlock": perk.unlock,
        "percent": fare.discount_pct if discount else perk.percent,
        "cents": perk.cents,
    }
