"""The one hold of a vehicle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import states
from fleet.vehicles.models.vehicle import Vehicle
from fleet.vehicles.scoping import FleetScoped

if TYPE_CHECKING:
    import datetime


class VehicleHoldQuerySet(FleetScoped["VehicleHold"]):
    """Holds by whether they are still in force."""

    def active(self) -> VehicleHoldQuerySet:
        return self.filter(released_at=None)

    def waiting(self) -> VehicleHoldQuerySet:
        """Taken for later and not begun."""
        return self.filter(released_at=None, ahead=True)


class VehicleHold(models.Model):
    """The one right to use a vehicle during a time. The exclusion constraint decides races."""

    vehicle = models.ForeignKey(
        Vehicle,
        on_delete=models.PROTECT,
        related_name="holds",
        verbose_name=_("vehicle"),
    )
    during = DateTimeRangeField(_("during"))
    purpose = models.CharField(_("purpose"), max_length=16, choices=states.HoldPurpose.choices)
    # Whoever holds names itself here ("reservation:<id>"); the fleet never looks behind it.
    holder_ref = models.CharField(_("holder"), max_length=80, db_index=True)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)
    # Not begun yet: it keeps others out of its time and says nothing of who has the vehicle now.
    ahead = models.BooleanField(_("for later"), default=False, db_default=False)

    objects = VehicleHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ("-id",)
        constraints = (
            ExclusionConstraint(
                name="fleet_one_hold_per_vehicle",
                expressions=(
                    ("vehicle", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ),
                condition=Q(released_at=None),
            ),
            models.CheckConstraint(
                condition=Q(during__isempty=False)
                & Q(during__lower_inf=False)
                & Q(during__upper_inf=False),
                name="fleet_hold_has_two_ends",
            ),
        )

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.purpose} {self.holder_ref}"

    @property
    def until(self) -> datetime.datetime:
        upper: datetime.datetime = self.during.upper
        return upper
