"""How full a vehicle has to be, and when: what its next user was promised."""

from __future__ import annotations

import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.scoping import FleetScoped


class ChargeNeedQuerySet(FleetScoped["ChargeNeed"]):
    """Needs by whether they still wait."""

    staff_paths = ("hold__vehicle__organisation",)

    def waiting(self, *, at: datetime.datetime) -> ChargeNeedQuerySet:
        """Whose hold stands, and whose time is still to come."""
        return self.filter(hold__released_at=None, ready_by__gt=at)


class ChargeNeed(models.Model):
    """The battery that a hold for later needs when it begins; it ends with the hold."""

    hold = models.OneToOneField(
        "fleet.VehicleHold",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="charge_need",
        verbose_name=_("hold"),
    )
    battery_pct = models.PositiveSmallIntegerField(_("battery needed (%)"))
    ready_by = models.DateTimeField(_("ready by"))
    noted_at = models.DateTimeField(_("noted at"))

    objects = ChargeNeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("charge needed")
        verbose_name_plural = _("charges needed")
        constraints = (
            models.CheckConstraint(
                condition=Q(battery_pct__gte=1, battery_pct__lte=100),
                name="fleet_charge_need_is_a_share",
            ),
        )
        indexes = (models.Index(fields=("ready_by",), name="fleet_charge_need_by"),)

    def __str__(self) -> str:
        return f"{self.hold_id} {self.battery_pct} %"
