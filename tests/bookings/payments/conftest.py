"""Sales without a ride around them."""

from decimal import Decimal

import pytest

from bookings.payments import services
from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.states import Purpose
from mobility.core import clock, ids
from mobility.core.money import PriceLine
from mobility.core.principals import SYSTEM


def line(cents, rate="0.22", kind="ride"):
    """One line of a price."""
    return PriceLine(kind, Decimal(10), "min", cents, Decimal(rate))


@pytest.fixture
def sell(ruote, card, collect):
    """`sell(giulia, line(350))` sells, collects, and returns the payment."""

    def go(person, *lines, token="demo-ok", collected=True) -> Payment:
        if not PaymentMethod.objects.filter(user=person, token=token).exists():
            card(person, token)
        at = clock.now()
        payment = services.open_payment(
            payer_id=person.pk, organisation_id=ruote.pk, purpose=Purpose.TRIP,
            purpose_ref=ids.uuid7(), cents=500, currency="EUR", at=at,
        )  # fmt: skip
        payment = services.authorise_payment(payment_id=payment.pk, at=at)
        services.charge_payment(payment=payment, lines=lines, at=at, by=SYSTEM)
        if collected:
            collect()
        payment.refresh_from_db()
        return payment

    return go
