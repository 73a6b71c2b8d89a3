"""What Ruote sells and hands out besides rides."""

import datetime
from decimal import Decimal

import pytest

from bookings.passes.models import PassProduct, PromoCode
from mobility.core import clock


@pytest.fixture
def week(ruote):
    """A hundred minutes within seven days, unlocking included: 16.99 EUR."""
    return PassProduct.objects.create(
        organisation=ruote,
        code="week",
        title={"it": "Settimana", "en": "Week"},
        vehicle_kinds=["scooter", "bicycle"],
        shape="bundle",
        minutes=100,
        free_unlock=True,
        days=7,
        price_cents=1699,
        vat_rate=Decimal("0.22"),
    )


@pytest.fixture
def year(ruote):
    """The first half hour of every trip for a year: 36.00 EUR."""
    return PassProduct.objects.create(
        organisation=ruote,
        code="year",
        title={"it": "Anno", "en": "Year"},
        vehicle_kinds=["bicycle"],
        shape="period",
        minutes=30,
        days=365,
        price_cents=3600,
        vat_rate=Decimal("0.22"),
    )


@pytest.fixture
def promo(ruote):
    """`promo("WELCOME", cents=500)` hands out a code."""

    def hand_out(code, **terms):
        at = clock.now()
        day = datetime.timedelta(days=1)
        return PromoCode.objects.create(
            **{
                "organisation": ruote,
                "code": code,
                "title": {"it": "Benvenuto", "en": "Welcome"},
                "vehicle_kinds": ["scooter"],
                "valid": (at - day, at + 30 * day),
                **terms,
            }
        )

    return hand_out


@pytest.fixture
def buy(collect):
    """`buy(phone, week)`: bought, and the money collected."""

    def pay(phone, product, **wishes):
        bought = phone.post("/api/v1/passes", {"product": str(product.public_id), **wishes})
        assert bought.status_code == 201, bought.json()
        collect()
        return phone.get(f"/api/v1/passes/{bought.json()['id']}").json()

    return pay
