"""Money, prices and vehicles that answer: what every test of this app starts from."""

import datetime
from collections.abc import Callable
from decimal import Decimal

import pytest
import time_machine
from rest_framework.test import APIClient

from bookings.payments import services as payments
from bookings.payments import tasks as payment_tasks
from bookings.pricing import services as pricing
from bookings.pricing.models import Tariff, TariffVersion
from bookings.riders import services as riders
from bookings.riders.models import DrivingLicence
from fleet.vehicles.models import Vehicle, VehicleCommand
from fleet.vehicles.services import expire_commands, record_acknowledgement
from mobility.accounts.models import Organisation, User
from mobility.core import clock
from mobility.core.principals import SYSTEM, device_principal

NUMBERS = {
    "vat_rate": Decimal("0.22"),
    "unlock_cents": 100,
    "minute_cents": 25,
    "pause_minute_cents": 10,
    "hold_free_minutes": 10,
    "hold_max_minutes": 10,
    "day_cap_cents": 2500,
    "preauth_cents": 500,
    "grace_s": 0,
}


@pytest.fixture
def tariff(ruote: Organisation) -> TariffVersion:
    """Ruote's published tariff for everything that rolls."""
    tariff = Tariff.objects.create(
        organisation=ruote,
        code="base",
        title={"it": "Base", "en": "Basic"},
        vehicle_kinds=["scooter", "bicycle", "car"],
    )
    version = pricing.draft_version(
        tariff=tariff, valid_from=clock.now() - datetime.timedelta(days=1), **NUMBERS
    )
    return pricing.publish_version(version_id=version.pk, at=clock.now(), by=SYSTEM)


@pytest.fixture
def scooter(make_vehicle: Callable[..., Vehicle], tariff: TariffVersion) -> Vehicle:
    """A scooter in Porta Romana, rentable and priced."""
    return make_vehicle("scooter", code="SC1")


@pytest.fixture
def card() -> Callable[..., None]:
    """`card(giulia)` puts a demonstration card on file."""

    def put(user: User, token: str = "demo-ok") -> None:
        payments.add_payment_method(user_id=user.pk, token=token, at=clock.now(), by=user.principal)

    return put


@pytest.fixture
def licensed(ruote: Organisation) -> Callable[..., DrivingLicence]:
    """`licensed(giulia)` may drive: a licence of category B, verified and good for years."""

    def verify(user: User, **told: object) -> DrivingLicence:
        day = clock.service_day(clock.now())
        usual = {
            "number": f"MI{user.pk:08d}",
            "country": "IT",
            "categories": ["B"],
            "held_since": day - datetime.timedelta(days=3000),
            "valid_until": day + datetime.timedelta(days=2000),
        }
        return riders.record_licence(
            user_id=user.pk, organisation=ruote, at=clock.now(), by=SYSTEM, **usual | told
        )

    return verify


@pytest.fixture
def rider(giulia: User, card: Callable[..., None], api: Callable[..., APIClient]) -> APIClient:
    """Giulia's phone; she has a card that works."""
    card(giulia)
    return api(giulia)


@pytest.fixture
def obey(relay: Callable[[], int]) -> Callable[..., str]:
    """`obey(scooter)`: the vehicle answers its newest command and the platform hears it."""

    def answer(vehicle: Vehicle, result: str = "confirmed") -> str:
        command = VehicleCommand.objects.open().filter(vehicle=vehicle).latest("sequence")
        record_acknowledgement(
            command_public_id=command.public_id,
            device_vehicle_id=vehicle.pk,
            result=result,
            at=clock.now(),
            by=device_principal(1),
        )
        relay()
        return command.kind

    return answer


@pytest.fixture
def silence(relay: Callable[[], int]) -> Callable[[], None]:
    """`silence()`: commands whose time is over end without an answer."""

    def pass_by() -> None:
        expire_commands(at=clock.now())
        relay()

    return pass_by


@pytest.fixture
def collect(relay: Callable[[], int]) -> Callable[[], None]:
    """`collect()`: the collector makes its round and everybody hears of it."""

    def go_round() -> None:
        payment_tasks.collect()
        relay()

    return go_round


@pytest.fixture
def travel() -> object:
    """A clock that tests may move; it stands still in between."""
    start = datetime.datetime(2026, 5, 4, 8, 0, tzinfo=datetime.UTC)
    with time_machine.travel(start, tick=False) as traveller:
        yield traveller
