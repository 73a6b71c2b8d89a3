"""Who may look at vehicles at the desk, and who may act on which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet.vehicles.models import Vehicle
from fleet.vehicles.scoping import FLEET_STAFF
from mobility.accounts.states import Role
from mobility.core import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

READERS = FLEET_STAFF | {Role.CITY_OFFICER}
OPERATORS = frozenset({Role.FLEET_OPERATOR})


def editable(request: HttpRequest) -> QuerySet[Vehicle]:
    """The vehicles that the person at the desk may act on."""
    person: Any = request.user
    return Vehicle.objects.run_by(person, *OPERATORS)


def deed(request: HttpRequest) -> dict[str, Any]:
    """When, and by whom: what every service wants to know."""
    person: Any = request.user
    return {"at": clock.now(), "by": person.principal}
