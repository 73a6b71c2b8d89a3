"""Admin page of tickets: what is wrong with chargers, and who sees to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from charging.stations.admin import OPERATORS
from charging.tickets import services
from charging.tickets.models import StationTicket
from charging.tickets.states import Outcome
from mobility.accounts.scoped_admin import ReadOnly, ScopedAdmin, person_of
from mobility.core import clock
from mobility.core.errors import DomainError


@admin.register(StationTicket)
class StationTicketAdmin(ReadOnly, ScopedAdmin[StationTicket]):
    """Tickets of one's own chargers. Who sees one operates its charger, so may act on it."""

    viewers = OPERATORS
    list_display = (
        "opened_at", "station", "connector", "kind", "error_code", "times", "state", "taken_by",
        "recovered_at", "outcome",
    )  # fmt: skip
    list_filter = ("state", "kind", "outcome")
    list_select_related = ("station", "connector__evse__station", "taken_by")
    search_fields = ("station__identity", "error_code", "note")
    date_hierarchy = "opened_at"
    ordering = ("-id",)
    actions = ("take", "leave", "repaired", "nothing_found")

    @admin.action(description=_("I see to it"), permissions=["view"])
    def take(self, request: HttpRequest, tickets: QuerySet[StationTicket]) -> None:
        """Take the chosen ones."""
        person = person_of(request)
        self._each(
            request,
            tickets,
            lambda pk: services.take_ticket(ticket_id=pk, person=person, at=clock.now()),
        )

    @admin.action(description=_("Nobody sees to it any more"), permissions=["view"])
    def leave(self, request: HttpRequest, tickets: QuerySet[StationTicket]) -> None:
        """Give the chosen ones back."""
        by = person_of(request).principal
        self._each(
            request,
            tickets,
            lambda pk: services.leave_ticket(ticket_id=pk, at=clock.now(), by=by),
        )

    @admin.action(description=_("Close: repaired"), permissions=["view"])
    def repaired(self, request: HttpRequest, tickets: QuerySet[StationTicket]) -> None:
        """The chosen ones are over."""
        self._close(request, tickets, outcome=Outcome.REPAIRED)

    @admin.action(description=_("Close: nothing found"), permissions=["view"])
    def nothing_found(self, request: HttpRequest, tickets: QuerySet[StationTicket]) -> None:
        """The chosen ones were none."""
        self._close(request, tickets, outcome=Outcome.NO_FAULT)

    def _close(
        self, request: HttpRequest, tickets: QuerySet[StationTicket], *, outcome: Outcome
    ) -> None:
        by = person_of(request).principal
        self._each(
            request,
            tickets,
            lambda pk: services.close_ticket(ticket_id=pk, outcome=outcome, at=clock.now(), by=by),
        )

    def _each(
        self,
        request: HttpRequest,
        tickets: QuerySet[StationTicket],
        deed: Callable[[int], Any],
    ) -> None:
        own = StationTicket.objects.visible_to(person_of(request)).filter(pk__in=tickets)
        for ticket in own.select_related("station"):
            try:
                deed(ticket.pk)
            except DomainError as problem:
                self.message_user(request, f"{ticket.station}: {problem.detail}", messages.ERROR)
