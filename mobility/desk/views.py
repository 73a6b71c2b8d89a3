"""The staff's pages beside the lists of the admin: what is wrong now, the map, the tasks, the chargers.

As with the residents' pages, a page is a thin shell; its script asks /api/v1 and the live stream.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from fleet.maintenance.states import FaultCategory, OrderReason, Priority
from fleet.telematics.states import AlarmKind
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import BlockReason, CommandKind, LifeState, LinkState, RentalState
from mobility.accounts.models import User
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.desk import queries, texts
from mobility.desk.access import for_roles
from mobility.desk.context import FLEET
from mobility.geography.queries import map_start

STAFF = (*FLEET, Role.CHARGE_POINT_OPERATOR, Role.CITY_OFFICER)


@for_roles(*STAFF)
def home(request: HttpRequest) -> HttpResponseBase:
    """`/admin/`: what is wrong now, then the lists."""
    user = _person(request)
    concerns = queries.concerns(user=user, at=clock.now())
    return admin.site.index(request, extra_context={"concerns": concerns, "title": _("Desk")})


@for_roles(*STAFF)
def live_map(request: HttpRequest) -> HttpResponse:
    """`/admin/map/`: every vehicle and charger of one's own, live."""
    return _shell(request, "desk/map.html", commands=_person(request).has_role(*FLEET))


@for_roles(*FLEET)
def alarms(request: HttpRequest) -> HttpResponse:
    """`/admin/alarms/`: what goes on now, the oldest first, to take and to close."""
    me = _person(request).email
    return _shell(request, "desk/alarms.html", me=me, kinds=_labels(AlarmKind.choices))


@for_roles(*FLEET)
def work_orders(request: HttpRequest) -> HttpResponse:
    """`/admin/work-orders/`: work to take, begin, check and finish; made for a telephone."""
    person = _person(request)
    return _shell(
        request,
        "desk/work_orders.html",
        me=str(person.public_id),
        reasons=_labels(OrderReason.choices),
        priorities=_labels(Priority.choices),
    )


@for_roles(*FLEET, Role.CITY_OFFICER)
def vehicle(request: HttpRequest, ref: str) -> HttpResponse:
    """`/admin/vehicle/<id or code>/`: how a vehicle is now, and everything that happened to it."""
    found = get_object_or_404(Vehicle.objects.visible_to(_person(request)), _named(ref))
    row = reverse("admin:fleet_vehicle_change", args=[found.pk])
    words = {
        "life": _labels(LifeState.choices),
        "rental": _labels(RentalState.choices),
        "link": _labels(LinkState.choices),
        "block": _labels(BlockReason.choices),
        "command": _labels(CommandKind.choices),
        "order_reason": _labels(OrderReason.choices),
        "fault": _labels(FaultCategory.choices),
        "alarm": _labels(AlarmKind.choices),
    }
    return _shell(
        request,
        "desk/vehicle.html",
        id=str(found.public_id),
        code=found.code,
        acts=_person(request).has_role(*FLEET),
        row=row,
        words=words,
    )


@for_roles(*FLEET)
def tasks(request: HttpRequest) -> HttpResponse:
    """`/admin/tasks/`: today's plans and their tasks."""
    return _shell(request, "desk/tasks.html", plans=_person(request).has_role(Role.FLEET_OPERATOR))


@for_roles(Role.CHARGE_POINT_OPERATOR)
def chargers(request: HttpRequest) -> HttpResponse:
    """`/admin/chargers/`: one's own sites with their stations, live."""
    return _shell(request, "desk/chargers.html")


def _shell(request: HttpRequest, template: str, **facts: Any) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "page": {
            "map": dataclasses.asdict(map_start()),
            "texts": texts.rendered(),
            **facts,
        },
    }
    return render(request, template, context)


def _named(ref: str) -> Q:
    try:
        return Q(public_id=UUID(ref))
    except ValueError:
        return Q(code=ref.upper())


def _labels(choices: Iterable[tuple[Any, Any]]) -> dict[str, str]:
    return {str(value): str(label) for value, label in choices}


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("the guard of the page lets only people in")
    return request.user
