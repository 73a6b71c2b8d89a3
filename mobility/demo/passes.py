"""What the demo sells and hands out besides rides; invented, in the range of what operators publish."""

import datetime
from decimal import Decimal
from typing import Any

from bookings.passes.models import PassProduct, PromoCode
from fleet.vehicles.states import Kind
from mobility.accounts.models import Organisation

VAT = Decimal("0.22")
LIGHT = [str(Kind.BICYCLE), str(Kind.SCOOTER)]

PRODUCTS: dict[str, dict[str, Any]] = {
    "day": {
        "title": {"it": "30 minuti in un giorno", "en": "30 minutes in a day"},
        "vehicle_kinds": LIGHT,
        "shape": "bundle",
        "minutes": 30,
        "free_unlock": True,
        "days": 1,
        "price_cents": 499,
        "renewable": False,
    },
    "week": {
        "title": {"it": "100 minuti in una settimana", "en": "100 minutes in a week"},
        "vehicle_kinds": LIGHT,
        "shape": "bundle",
        "minutes": 100,
        "free_unlock": True,
        "days": 7,
        "price_cents": 1699,
    },
    "year": {
        "title": {"it": "Bici tutto l'anno", "en": "Bikes all year"},
        "vehicle_kinds": [str(Kind.BICYCLE)],
        "shape": "period",
        "minutes": 30,
        "free_unlock": True,
        "days": 365,
        "price_cents": 3600,
    },
}


def ensure_passes(*, operator: Organisation, at: datetime.datetime) -> None:
    """Three passes on sale, and a code for everybody's first ride."""
    for code, terms in PRODUCTS.items():
        PassProduct.objects.get_or_create(
            organisation=operator, code=code, defaults={"vat_rate": VAT, **terms}
        )
    PromoCode.objects.get_or_create(
        code="CIAOMILANO",
        defaults={
            "organisation": operator,
            "title": {"it": "Benvenuti", "en": "Welcome"},
            "vehicle_kinds": LIGHT,
            "valid": (at, None),
            "cents": 200,
            "budget_cents": 1_000_000,
        },
    )
