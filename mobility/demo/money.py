"""What the demo operator asks for bad parking, and what it gives back when something went wrong."""

from typing import Any

from bookings.payments.models import FeeKind, GoodwillRule
from bookings.payments.states import Situation
from mobility.accounts.models import Organisation

FEES: dict[str, dict[str, Any]] = {
    "bad_parking": {"title": {"it": "Sosta irregolare", "en": "Bad parking"}, "cents": 2500},
    "towing": {"title": {"it": "Rimozione", "en": "Towing"}, "cents": 6000},
}
# Situation → share of the price in percent, at most so many cents.
GOODWILL = {
    Situation.BROKEN_LATER: (100, 1000),
    Situation.END_IMPOSSIBLE: (50, 1000),
    Situation.OUTAGE: (100, 2000),
    Situation.BATTERY_DIED: (50, 500),
    Situation.CHARGER_FAULT: (100, 500),
}


def ensure_money(*, operator: Organisation) -> None:
    """A catalogue of fees and rules of goodwill, where there are none."""
    for code, terms in FEES.items():
        FeeKind.objects.get_or_create(organisation=operator, code=code, defaults=terms)
    for situation, (percent, most) in GOODWILL.items():
        GoodwillRule.objects.get_or_create(
            organisation=operator,
            situation=situation,
            defaults={"percent": percent, "max_cents": most},
        )
