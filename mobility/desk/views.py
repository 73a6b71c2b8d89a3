"""The staff's pages beside the lists of the admin: what is wrong now, the map, the tasks, the chargers.

As with the residents' pages, a page is a thin shell; its script asks /api/v1 and the live stream.
"""

from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from fleet.maintenance.states import FaultCategory, OrderReason, Priority
from fleet.telematics.states import AlarmKind
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import BlockReason, LifeState, LinkState, RentalState
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.desk import queries
from mobility.desk.access import for_roles
from mobility.desk.context import FLEET
from mobility.desk.shell import labels, person, shell
from mobility.desk.trends import trends

STAFF = (*FLEET, Role.CHARGE_POINT_OPERATOR, Role.CITY_OFFICER)


@for_roles(*STAFF)
def home(request: HttpRequest) -> HttpResponseBase:
    """`/admin/`: what is wrong now, how the last days went, then the lists."""
    user, at = person(request), clock.now()
    concerns = queries.concerns(user=user, at=at)
    context = {
        "concerns": [concern for concern in concerns if concern.count],
        "calm": [concern for concern in concerns if not concern.count],
        "trends": trends(user=user, at=at),
        "title": _("Desk"),
    }
    return admin.site.index(request, extra_context=context)


@for_roles(*STAFF)
def live_map(request: HttpRequest) -> HttpResponse:
    """`/admin/map/`: every vehicle and charger of one's own, live."""
    return shell(request, "desk/map.html", commands=person(request).has_role(*FLEET))


@for_roles(*FLEET)
def alarms(request: HttpRequest) -> HttpResponse:
    """`/admin/alarms/`: what goes on now, the oldest first, to take and to close."""
    me = person(request).email
    return shell(request, "desk/alarms.html", me=me, kinds=labels(AlarmKind.choices))


@for_roles(*FLEET)
def work_orders(request: HttpRequest) -> HttpResponse:
    """`/admin/work-orders/`: work to take, begin, check and finish; made for a telephone."""
    return shell(
        request,
        "desk/work_orders.html",
        me=str(person(request).public_id),
        reasons=labels(OrderReason.choices),
        priorities=labels(Priority.choices),
    )


@for_roles(*FLEET, Role.CITY_OFFICER)
def vehicle(request: HttpRequest, ref: str) -> HttpResponse:
    """`/admin/vehicle/<id or code>/`: how a vehicle is now, and everything that happened to it."""
    # As the code is written on the vehicle, or else as somebody typed it.
    named = Vehicle.objects.visible_to(person(request)).filter(_named(ref))
    found = min(named, key=lambda one: one.code != ref, default=None)
    if found is None:
        raise Http404
    row = reverse("admin:fleet_vehicle_change", args=[found.pk])
    words = {
        "life": labels(LifeState.choices),
        "rental": labels(RentalState.choices),
        "link": labels(LinkState.choices),
        "block": labels(BlockReason.choices),
        "fault": labels(FaultCategory.choices),
    }
    return shell(
        request,
        "desk/vehicle.html",
        id=str(found.public_id),
        code=found.code,
        acts=person(request).has_role(*FLEET),
        row=row,
        words=words,
    )


@for_roles(*FLEET)
def tasks(request: HttpRequest) -> HttpResponse:
    """`/admin/tasks/`: today's plans and their tasks."""
    return shell(request, "desk/tasks.html", plans=person(request).has_role(Role.FLEET_OPERATOR))


@for_roles(Role.CHARGE_POINT_OPERATOR)
def chargers(request: HttpRequest) -> HttpResponse:
    """`/admin/chargers/`: one's own sites with their stations, live."""
    return shell(request, "desk/chargers.html")


def _named(ref: str) -> Q:
    try:
        return Q(public_id=UUID(ref))
    except ValueError:
        return Q(code__iexact=ref)
