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
from django.views.generic import TemplateView

from fleet.maintenance.states import FaultCategory
from mobility.core import problems
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


def server_error(request: HttpRequest) -> HttpResponse:
    """500: programs get a problem, people a page; neither asks the database for anything."""
    if request.path.startswith("/api/"):
        return problems.server_error(request)
    page = render_to_string("500.html", {"request_id": current_request_id()})
    return HttpResponseServerError(page)
