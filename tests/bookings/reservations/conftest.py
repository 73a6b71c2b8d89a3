"""Cars that can be booked, and the people who book them."""

import datetime
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from bookings.pricing import services as pricing
from bookings.pricing.models import Tariff, TariffVersion
from bookings.reservations.models import Booking, ReservationPolicy
from bookings.reservations.services import tend_bookings
from fleet.telematics.models import LatestState
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from tests.bookings.conftest import NUMBERS

CAR_NUMBERS = {
    **NUMBERS,
    "unlock_cents": 0,
    "minute_cents": 20,
    "day_cap_cents": 5000,
    "hold_free_minutes": 15,
    "hold_max_minutes": 15,
    "hold_minute_cents": 10,
    "hold_extend_minutes": 15,
    "hold_longest_minutes": 45,
    "no_show_cents": 1500,
    "late_cancel_cents": 1000,
    "free_cancel_before_h": 12,
    "overstay_cents": 900,
}


@pytest.fixture
def car_tariff(ruote: Organisation) -> TariffVersion:
    """Ruote's published tariff for cars: longer holds and missed bookings cost money."""
    tariff = Tariff.objects.create(
        organisation=ruote, code="cars", title={"en": "Cars"}, vehicle_kinds=["car"]
    )
    version = pricing.draft_version(
        tariff=tariff, valid_from=clock.now() - datetime.timedelta(days=1), **CAR_NUMBERS
    )
    return pricing.publish_version(version_id=version.pk, at=clock.now(), by=SYSTEM)


@pytest.fixture
def policy(ruote: Organisation) -> ReservationPolicy:
    """Ruote's own rules, as they are without any."""
    return ReservationPolicy.objects.create(organisation=ruote)


@pytest.fixture
def car(make_vehicle: Callable[..., Vehicle], car_tariff: TariffVersion) -> Vehicle:
    """CAR1 in Porta Romana, 70 % charged."""
    return make_vehicle("car", code="CAR1", battery_pct=70)


@pytest.fixture
def driver(
    giulia: User,
    card: Callable[..., None],
    licensed: Callable[..., object],
    api: Callable[..., APIClient],
) -> APIClient:
    """Giulia's phone; she has a card and may drive."""
    card(giulia)
    licensed(giulia)
    return api(giulia)


@pytest.fixture
def piero_drives(
    piero: User,
    card: Callable[..., None],
    licensed: Callable[..., object],
    api: Callable[..., APIClient],
) -> APIClient:
    """Piero's phone; he may drive too."""
    card(piero)
    licensed(piero)
    return api(piero)


@pytest.fixture
def tend(relay: Callable[[], int]) -> Callable[[], dict[str, int]]:
    """`tend()`: all cars report, the keeper of bookings makes its round, everybody hears of it."""

    def go_round() -> dict[str, int]:
        LatestState.objects.update(at=clock.now(), received_at=clock.now())
        done = tend_bookings(at=clock.now())
        relay()
        return done

    return go_round


@pytest.fixture
def booking_of() -> Callable[[dict], Booking]:
    """`booking_of(body)`: the row that an answer tells of."""
    return lambda body: Booking.objects.get(public_id=body["id"])
