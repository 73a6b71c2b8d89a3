"""What the demo asks for riding and charging; invented, in the range of what Milan's operators publish."""

import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from bookings.pricing import services as fares
from bookings.pricing.models import Tariff as RideTariff
from bookings.reservations.models import ReservationPolicy
from charging.tariffs import services as charging_prices
from charging.tariffs.models import Tariff as ChargingTariff
from fleet.vehicles.states import Kind
from mobility.accounts.models import Organisation
from mobility.core.principals import Principal

VAT = Decimal("0.22")

RIDES: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    Kind.BICYCLE: (
        {"it": "Bici elettrica", "en": "E-bike"},
        {
            "unlock_cents": 0,
            "minute_cents": 15,
            "pause_minute_cents": 5,
            "blocks": [{"minutes": 60, "cents": 600}],
            "discount_pct": 30,
            "day_cap_cents": 1500,
            "preauth_cents": 1000,
        },
    ),
    Kind.SCOOTER: (
        {"it": "Monopattino", "en": "E-scooter"},
        {
            "unlock_cents": 100,
            "minute_cents": 22,
            "pause_minute_cents": 10,
            "blocks": [{"minutes": 60, "cents": 1000}],
            "windows": [{"start": "22:00", "end": "06:00", "minute_cents": 18}],
            "discount_pct": 30,
            "day_cap_cents": 2000,
            "preauth_cents": 1000,
        },
    ),
    Kind.CAR: (
        {"it": "Auto elettrica", "en": "E-car"},
        {
            "unlock_cents": 0,
            "minute_cents": 28,
            "pause_minute_cents": 12,
            "hold_free_minutes": 15,
            "hold_max_minutes": 15,
            "hold_minute_cents": 10,
            "hold_extend_minutes": 15,
            "hold_longest_minutes": 90,
            "no_show_cents": 1500,
            "late_cancel_cents": 1000,
            "free_cancel_before_h": 12,
            "overstay_cents": 1000,
            "km_cents": 25,
            "free_km": 50,
            "blocks": [{"minutes": 60, "cents": 1200}, {"minutes": 240, "cents": 3000}],
            "day_cap_cents": 5000,
            "preauth_cents": 3000,
        },
    ),
}

CHARGING = (
    (
        "ac",
        {"it": "Ricarica normale", "en": "Normal charging"},
        [
            {"kind": "energy", "unit_cents": "49"},
            {"kind": "idle", "unit_cents": "5", "free_units": "60"},
        ],
    ),
    (
        "dc",
        {"it": "Ricarica veloce", "en": "Fast charging"},
        [
            {"kind": "flat", "unit_cents": "50"},
            {"kind": "energy", "unit_cents": "69"},
            {"kind": "idle", "unit_cents": "20", "free_units": "15"},
        ],
    ),
)


@transaction.atomic
def ensure_ride_prices(*, operator: Organisation, at: datetime.datetime, by: Principal) -> None:
    """One published tariff for each kind of vehicle."""
    for kind, (title, numbers) in RIDES.items():
        tariff, created = RideTariff.objects.get_or_create(
            organisation=operator,
            code=str(kind),
            defaults={"title": title, "vehicle_kinds": [str(kind)]},
        )
        if created:
            draft = fares.draft_version(tariff=tariff, valid_from=at, vat_rate=VAT, **numbers)
            fares.publish_version(version_id=draft.pk, at=at, by=by)


def ensure_reservation_rules(*, operator: Organisation) -> None:
    """A family rides together: three vehicles for one person."""
    ReservationPolicy.objects.get_or_create(organisation=operator, defaults={"group_limit": 3})


@transaction.atomic
def ensure_charging_prices(
    *, operator: Organisation, at: datetime.datetime, by: Principal
) -> dict[str, ChargingTariff]:
    """A published tariff for normal and one for fast charging, by code."""
    tariffs = {}
    for code, name, components in CHARGING:
        tariff, created = ChargingTariff.objects.get_or_create(
            organisation=operator, code=code, defaults={"name": name, "is_default": code == "ac"}
        )
        tariffs[code] = tariff
        if created:
            draft = charging_prices.draft_version(
                tariff_id=tariff.pk, components=components, valid_from=at, at=at, by=by
            )
            charging_prices.publish_version(version_id=draft.pk, at=at, by=by)
    return tariffs
