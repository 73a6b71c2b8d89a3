"""Tickets: a charger that is broken or silent, until it is well again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.stations.scoping import operated_by
from charging.tickets.states import TICKET_MOVES, Outcome, TicketKind, TicketState
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class TicketQuerySet(models.QuerySet["StationTicket"]):
    """Tickets by operator and by whether they are over."""

    def visible_to(self, user: Person) -> Self:
        """Operators see those of their own stations."""
        return self.filter(operated_by(user, site="station__site"))

    def unclosed(self) -> Self:
        """Not over yet."""
        return self.exclude(state=TicketState.CLOSED)


class StationTicket(PublicModel):
    """One thing that is wrong with a station or one of its connectors.

    A fault that comes again before its ticket is closed is the same ticket, once more.
    """

    moves: ClassVar = {"state": TICKET_MOVES}

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="tickets",
        verbose_name=_("station"),
    )
    connector = models.ForeignKey(
        "charging.Connector",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="tickets",
        verbose_name=_("connector"),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=TicketKind)
    state = models.CharField(
        _("state"), max_length=8, choices=TicketState, default=TicketState.OPEN, editable=False
    )
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    error_code = models.CharField(_("error"), max_length=50, blank=True)
    info = models.CharField(_("information"), max_length=100, blank=True)
    times = models.PositiveIntegerField(_("times"), default=1)
    opened_at = models.DateTimeField(_("opened at"))
    told_at = models.DateTimeField(_("last told at"))
    recovered_at = models.DateTimeField(_("well again since"), null=True, blank=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("taken by"),
    )
    taken_at = models.DateTimeField(_("taken at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket of a charger")
        verbose_name_plural = _("tickets of chargers")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "connector", "kind"],
                condition=~Q(state="closed"),
                nulls_distinct=False,
                name="station_ticket_once",
            ),
            models.CheckConstraint(
                name="station_ticket_closed_with_outcome",
                condition=Q(state="closed", closed_at__isnull=False) & ~Q(outcome="")
                | ~Q(state="closed") & Q(closed_at__isnull=True, outcome=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["station", "-id"], name="station_ticket_of_station"),
        ]

    def __str__(self) -> str:
        return f"{self.station_id} {self.kind} {self.state}"
