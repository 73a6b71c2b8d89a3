"""The ledger of commands to stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.stations.models.connectors import Connector
from charging.stations.models.stations import ChargingStation
from charging.stations.scoping import operated_by
from charging.stations.states import COMMAND_MOVES, COMMAND_OPEN, CommandAction, CommandState
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class CommandQuerySet(models.QuerySet["StationCommand"]):
    """Commands by owner and by how far they got."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="station__site"))

    def open(self) -> Self:
        """Queued or sent, not finished."""
        return self.filter(state__in=COMMAND_OPEN)


class StationCommand(PublicModel):
    """One request to a station and what became of it: the ledger the gateway works off."""

    moves: ClassVar = {"state": COMMAND_MOVES}

    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.CASCADE,
        related_name="commands",
        verbose_name=_("station"),
    )
    connector = models.ForeignKey(
        Connector,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="commands",
        verbose_name=_("connector"),
    )
    action = models.CharField(_("action"), max_length=30, choices=CommandAction)
    payload = models.JSONField(_("arguments"), default=dict, blank=True)
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=CommandState,
        default=CommandState.QUEUED,
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=9)
    idempotency_key = models.CharField(_("idempotency key"), max_length=128, unique=True)
    by = models.CharField(_("by"), max_length=100)
    purpose_ref = models.CharField(_("purpose"), max_length=80, blank=True)
    queued_at = models.DateTimeField(_("queued at"))
    expires_at = models.DateTimeField(_("expires at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    sent_epoch = models.PositiveBigIntegerField(_("connection number"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)

    objects = CommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("station command")
        verbose_name_plural = _("station commands")
        indexes: ClassVar = [
            models.Index(
                fields=["station", "priority", "id"],
                name="command_open",
                condition=Q(state__in=sorted(COMMAND_OPEN)),
            ),
            models.Index(fields=["station", "-id"], name="command_of_station"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.public_id}"
