"""Doors of the crews' pages: the route on a phone, its worker, the sheet to print."""

import dataclasses
from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from fleet.maintenance.states import FaultCategory
from fleet.rebalancing.models import RebalancingPlan
from mobility.accounts.models import User
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.offline import LOOKS, worker_response
from mobility.crew import texts
from mobility.crew.paper import sheet_as_pdf
from mobility.crew.sheet import Sheet, make_sheet
from mobility.desk.access import for_roles
from mobility.desk.context import FLEET
from mobility.geography.queries import map_start

SCOPE = "/crew/"
# What the page needs when there is no network.
FILES = (
    *LOOKS,
    "js/crew/route.js",
    "js/offline/resident.js",
    "css/crew.css",
    "img/mark-512.png",
    "crew.webmanifest",
)


@require_GET
@ensure_csrf_cookie
@for_roles(*FLEET)
def route(request: HttpRequest) -> HttpResponse:
    """`/crew/`: today's route, for a phone; it opens without a network once it was open with one."""
    person = cast("User", request.user)
    page = {
        "me": str(person.public_id),
        "decides": person.has_role(Role.FLEET_OPERATOR),
        "login_url": reverse("account_login"),
        "map": dataclasses.asdict(map_start()),
        "texts": texts.rendered(),
        "worker": reverse("crew:worker"),
        "scope": SCOPE,
    }
    response = render(
        request,
        "crew/route.html",
        {"page": page, "problems": FaultCategory.choices, "manifest": static("crew.webmanifest")},
    )
    response["Cache-Control"] = "private, no-cache"
    return response


@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """`/crew/worker.js`: keeps the page and its files at hand; the same for everybody."""
    return worker_response(name="crew", scope=SCOPE, pages=[reverse("crew:route")], entries=FILES)


@require_GET
@for_roles(*FLEET)
def sheet(request: HttpRequest) -> HttpResponse:
    """`/crew/sheet/?plan=…&van=0`: what to load and where to go, made to be printed."""
    found = _sheet(request)
    response = render(request, "crew/sheet.html", {"sheet": found})
    response["Cache-Control"] = "private, no-store"
    return response


@require_GET
@for_roles(*FLEET)
def sheet_pdf(request: HttpRequest) -> HttpResponse:
    """`/crew/sheet.pdf?plan=…&van=0`: the same as a file."""
    found = _sheet(request)
    response = HttpResponse(sheet_as_pdf(found), content_type="application/pdf")
    name = f"route-{clock.local(found.made_at):%Y-%m-%d}-{found.van + 1}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _sheet(request: HttpRequest) -> Sheet:
    """The sheet that the address names; 404 for what is not there or not for this person."""
    query = request.GET
    try:
        public_id, van = UUID(query.get("plan", "")), int(query.get("van", ""))
    except ValueError:
        raise Http404 from None
    plans: Any = RebalancingPlan.objects.visible_to(cast("User", request.user))
    plan = get_object_or_404(plans, public_id=public_id)
    address = request.build_absolute_uri(f"{reverse('crew:route')}?plan={plan.public_id}&van={van}")
    found = make_sheet(plan=plan, van=van, address=address, at=clock.now())
    if found is None:
        raise Http404
    return found
