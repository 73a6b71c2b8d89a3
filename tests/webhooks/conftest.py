"""Marco's fleet program listens; a trip's facts are at hand."""

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from fleet.vehicles.events import LifeChanged
from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.core import clock, outbox
from mobility.webhooks import queries, services
from tests.webhooks.receiver import Receiver

KINDS = ["vehicle.life_changed"]


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    """What one test's process knows of endpoints must not reach the next."""
    queries.forget_wishes()
    yield
    queries.forget_wishes()


@pytest.fixture(autouse=True)
def _own_machine(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    listening = Receiver()
    yield listening
    listening.close()


@pytest.fixture
def listen(
    api: Callable[[User | None], APIClient], marco: User, receiver: Receiver
) -> Callable[..., dict[str, Any]]:
    """`listen()`: Marco adds the receiver as an endpoint, through the API."""

    def add(url: str = "", kinds: list[str] | None = None) -> dict[str, Any]:
        answer = api(marco).post(
            "/api/v1/webhook-endpoints", {"url": url or receiver.url, "kinds": kinds or KINDS}
        )
        assert answer.status_code == 201, answer.content
        queries.forget_wishes()
        body: dict[str, Any] = answer.json()
        return body

    return add


@pytest.fixture
def scooter(make_vehicle: Callable[..., Vehicle]) -> Vehicle:
    return make_vehicle("scooter", code="HOOK1")


@pytest.fixture
def happen(scooter: Vehicle, relay: Callable[[], int]) -> Callable[..., None]:
    """`happen(3)`: three facts about Marco's scooter, relayed to whoever listens."""

    def facts(count: int = 1, *, at: datetime.datetime | None = None) -> None:
        at = at or clock.now()
        life = {"vehicle_id": scooter.pk, "before": "in_service", "after": "workshop"}
        with transaction.atomic():
            outbox.publish(*[LifeChanged(**life, at=at) for _ in range(count)], at=at)
        relay()

    return facts


@pytest.fixture
def deliver() -> Callable[..., int]:
    """`deliver()`: the round of Celery's task; `later=` as if so much time had passed."""

    def round_(later: datetime.timedelta = datetime.timedelta()) -> int:
        return services.deliver_due(at=clock.now() + later, round_s=5)

    return round_
