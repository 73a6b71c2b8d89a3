"""Commands to vehicles."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import states
from fleet.vehicles.models.vehicle import Vehicle
from fleet.vehicles.scoping import FleetScoped
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime


class VehicleCommandQuerySet(FleetScoped["VehicleCommand"]):
    """Commands by how far they have come."""

    def open(self) -> VehicleCommandQuerySet:
        return self.filter(state__in=states.OPEN_COMMANDS)

    def deliverable(self, *, at: datetime.datetime) -> VehicleCommandQuerySet:
        """Not yet answered and still in time; oldest first."""
        waiting = (states.CommandState.QUEUED, states.CommandState.SENT)
        return self.filter(state__in=waiting, expires_at__gt=at).order_by("vehicle_id", "sequence")


class VehicleCommand(PublicModel):
    """One order to a vehicle: numbered, of limited life, given once however often it is asked."""

    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        related_name="commands",
        verbose_name=_("vehicle"),
    )
    sequence = models.PositiveIntegerField(_("sequence"))
    kind = models.CharField(_("kind"), max_length=16, choices=states.CommandKind.choices)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=states.CommandState.choices,
        default=states.CommandState.QUEUED,
    )
    idempotency_key = models.CharField(max_length=120)
    purpose_ref = models.CharField(_("purpose"), max_length=80, blank=True)
    requested_by = models.CharField(_("requested by"), max_length=100)
    created_at = models.DateTimeField(_("created"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"))

    moves: ClassVar = {"state": states.COMMAND_MOVES}
    objects = VehicleCommandQuerySet.as_manager()

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle", "sequence"),
                name="fleet_command_sequence_once",
            ),
            models.UniqueConstraint(
                fields=("vehicle", "idempotency_key"),
                name="fleet_command_key_once",
            ),
        )
        indexes = (
            # The sweep looks only at the few that still wait.
            models.Index(
                fields=("expires_at",),
                condition=Q(state__in=("queued", "sent", "accepted")),
                name="fleet_command_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.vehicle_id} #{self.sequence} {self.kind}"
