"""Faults and orders, as the people of the tests make them."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from fleet.vehicles.models import Vehicle, VehicleBlock
from mobility.accounts.models import User

Call = Callable[..., Any]


def blocks_of(vehicle: Vehicle) -> set[str]:
    """Why the vehicle is not offered now."""
    return set(
        VehicleBlock.objects.active().filter(vehicle=vehicle).values_list("reason", flat=True)
    )


def life_of(vehicle: Vehicle) -> tuple[str, str]:
    """Life and rental as they are now."""
    vehicle.refresh_from_db()
    return vehicle.life_state, vehicle.rental_state


@pytest.fixture
def crew(api: Callable[[User | None], APIClient], sara: User) -> Call:
    """`crew("start", order, place="workshop")`: Sara does something with an order."""
    client = api(sara)

    def act(deed: str, order: dict[str, Any], expect: int = 200, **body: Any) -> dict[str, Any]:
        answer = client.post(f"/api/v1/fleet/work-orders/{order['id']}/{deed}", body)
        assert answer.status_code == expect, answer.content
        return dict(answer.json())

    return act


@pytest.fixture
def order_for(api: Callable[[User | None], APIClient], marco: User) -> Call:
    """`order_for(vehicle, reason="tyre")`: Marco asks for work."""
    client = api(marco)

    def ask(vehicle: Vehicle, reason: str = "tyre", **body: Any) -> dict[str, Any]:
        answer = client.post(
            "/api/v1/fleet/work-orders", {"vehicle": vehicle.code, "reason": reason, **body}
        )
        assert answer.status_code == 201, answer.content
        return dict(answer.json())

    return ask
