"""Thin shells of the resident's pages: the map, a ride, a charge, receipts, the account.

A shell brings the frame, the words and the address; what is true comes from /api/v1, asked by the
page itself, so that a reload or a second phone shows the same.
"""

import dataclasses
from typing import Any, ClassVar

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET
from django.views.generic import TemplateView

from bookings.reservations.needs import Need
from fleet.maintenance.states import FaultCategory
from mobility.core import problems
from mobility.core.offline import LOOKS, worker_response
from mobility.core.tracing import current_request_id
from mobility.geography.queries import map_start
from mobility.resident import texts


class Shell(TemplateView):
    """A page of residents; `facts` says which of the address parts its script needs."""

    facts: ClassVar[dict[str, Any]] = {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The JSON block `page`: facts and texts."""
        context = super().get_context_data(**kwargs)
        address = {name: str(value) for name, value in self.kwargs.items()}
        context["fault_categories"] = FaultCategory.choices
        context["page"] = {
            "signed_in": self.request.user.is_authenticated,
            "login_url": reverse("account_login"),
            "map": dataclasses.asdict(map_start()),
            "texts": texts.rendered(),
            **self.facts,
            **address,
        }
        return context


class OwnShell(LoginRequiredMixin, Shell):
    """A page about one's own things."""


class MapView(Shell):
    """`/`, `/book/<code>/`, `/charge/at/<station>/`: everybody sees the map and the prices."""

    template_name = "resident/map.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What may be needed of a vehicle."""
        return super().get_context_data(needs=Need.choices, **kwargs)


class TripView(OwnShell):
    """`/trip/<id>/`: one ride, from unlocking to its end."""

    template_name = "resident/trip.html"


class RechargeView(OwnShell):
    """`/charge/<id>/`: one charge, live."""

    template_name = "resident/recharge.html"


class TripReceiptView(OwnShell):
    """`/receipt/<id>/`: what a ride cost, with its VAT."""

    template_name = "resident/receipt.html"
    facts: ClassVar = {"source": "trips"}


class RechargeReceiptView(OwnShell):
    """`/charge/<id>/receipt/`: what a charge cost, with its VAT."""

    template_name = "resident/receipt.html"
    facts: ClassVar = {"source": "recharges"}


class AccountView(OwnShell):
    """`/account/`: rides, charges, and what one told us is wrong."""

    template_name = "resident/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The first of the tabs."""
        return super().get_context_data(tab="trips", **kwargs)


class OfflineView(Shell):
    """`/offline/`: what a browser shows in place of a page that it cannot reach."""

    template_name = "resident/offline.html"


# What a ride, a charge and the page without a network need.
FILES = (
    *LOOKS,
    "js/resident/trip.js",
    "js/resident/recharge.js",
    "js/resident/offline.js",
    "js/offline/resident.js",
    "css/resident.css",
    "css/paper.css",
    "css/own.css",
)
ID = "[0-9a-f-]{36}"


@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """`/worker.js`: keeps the ride that is under way at hand, and shows notifications."""
    return worker_response(
        name="resident",
        scope="/",
        pages=[reverse("resident:offline")],
        visited=[f"^/trip/{ID}/$", f"^/charge/{ID}/$"],
        instead=reverse("resident:offline"),
        entries=FILES,
        parts=["js/offline/push.js"],
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: programs get a problem, people a page; neither asks the database for anything."""
    if request.path.startswith("/api/"):
        return problems.server_error(request)
    page = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponseServerError(page)
