"""Payments at every moment of their life, and books that are sound after every test."""

from collections.abc import Callable, Iterator

import pytest

from bookings.payments import services
from bookings.payments.models import Payment, PaymentMethod
from bookings.payments.queries import ledger_faults
from bookings.payments.states import Purpose
from mobility.accounts.models import Organisation, User
from mobility.core import clock, ids
from mobility.core.money import PriceLine
from mobility.core.principals import SYSTEM


@pytest.fixture
def opened(ruote: Organisation, giulia: User, card: Callable[..., None]) -> Callable[..., Payment]:
    """`opened("demo-ok", 500)` is a payment of Giulia's to Ruote that nobody was asked for yet."""

    def open_one(token: str = "demo-ok", cents: int = 500, **terms: object) -> Payment:
        if token:
            card(giulia, token)
        facts: dict = {
            "payer_id": giulia.pk,
            "organisation_id": ruote.pk,
            "purpose": Purpose.TRIP,
            "purpose_ref": ids.uuid7(),
            "cents": cents,
            "currency": "EUR",
            "at": clock.now(),
        }
        return services.open_payment(**(facts | terms))

    return open_one


@pytest.fixture
def charged(opened: Callable[..., Payment]) -> Callable[..., Payment]:
    """`charged(line(350))` is a payment that was promised and charged, and is to be collected."""

    def charge(*lines: PriceLine, token: str = "demo-ok", **terms: object) -> Payment:
        payment = opened(token, **terms)
        payment = services.authorise_payment(payment_id=payment.pk, at=clock.now())
        services.charge_payment(payment=payment, lines=lines, at=clock.now(), by=SYSTEM)
        return payment

    return charge


@pytest.fixture
def paid(charged: Callable[..., Payment], collect: Callable[[], None]) -> Callable[..., Payment]:
    """`paid(line(350))` was collected too, or refused if that is how the card is."""

    def pay(*lines: PriceLine, **terms: object) -> Payment:
        payment = charged(*lines, **terms)
        collect()
        payment.refresh_from_db()
        return payment

    return pay


@pytest.fixture
def credit(
    ruote: Organisation,
    giulia: User,
    card: Callable[..., None],
    collect: Callable[[], None],
) -> Callable[..., PaymentMethod]:
    """`credit(2000)` tops Giulia up at Ruote; returns her credit as a method."""

    def top_up(cents: int) -> PaymentMethod:
        card(giulia)
        services.top_up(
            user_id=giulia.pk,
            organisation_id=ruote.pk,
            cents=cents,
            at=clock.now(),
            by=giulia.principal,
        )
        collect()
        return PaymentMethod.objects.get(user=giulia, organisation=ruote)

    return top_up


@pytest.fixture(autouse=True)
def sound_books(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did inside its transaction, the books are sound after it."""
    database = request.node.get_closest_marker("django_db")
    checked = database is not None and not database.kwargs
    if checked:
        request.getfixturevalue("db")
    yield
    if checked and not getattr(request.module, "BREAKS_BOOKS", False):
        assert ledger_faults() == []
