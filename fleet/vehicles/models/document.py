"""Papers of vehicles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import states
from fleet.vehicles.models.vehicle import Vehicle
from fleet.vehicles.scoping import FleetScoped
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime


class VehicleDocumentQuerySet(FleetScoped["VehicleDocument"]):
    """Documents by the days on which they are good."""

    def valid_on(self, day: datetime.date) -> VehicleDocumentQuerySet:
        """Good on this day, its first and its last day included."""
        endless = Q(expires_on=None) | Q(expires_on__gte=day)
        return self.filter(endless, valid_from__lte=day)


class VehicleDocument(PublicModel):
    """One paper of a vehicle; its renewal is another row, so that the history stays."""

    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        related_name="documents",
        verbose_name=_("vehicle"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=states.DocumentKind.choices)
    number = models.CharField(_("number"), max_length=64)
    valid_from = models.DateField(_("valid from"))
    expires_on = models.DateField(_("last day"), null=True, blank=True)

    objects = VehicleDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("vehicle document")
        verbose_name_plural = _("vehicle documents")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(expires_on=None) | Q(expires_on__gte=F("valid_from")),
                name="fleet_document_ends_after_it_began",
                violation_error_message=_("The last day lies before the first."),
            ),
            models.UniqueConstraint(
                fields=("vehicle", "kind", "number", "valid_from"),
                name="fleet_document_once",
            ),
        )
        indexes = (models.Index(fields=("expires_on",), name="fleet_document_expires"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
