"""Reports that something is wrong with a vehicle."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.maintenance import states
from fleet.vehicles.scoping import FleetScoped
from mobility.core import ids
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.core.principals import Principal


def case_number() -> str:
    """What a person can read to us on the telephone; not counted up, so it tells nobody anything."""
    return ids.short_code(8)


class FaultReportQuerySet(FleetScoped["FaultReport"]):
    """Reports by what is left to do about them."""

    def open(self) -> FaultReportQuerySet:
        return self.filter(state__in=states.OPEN_FAULTS)

    def told_by(self, principal: Principal) -> FaultReportQuerySet:
        """A person's own reports."""
        return self.filter(reported_by=principal)


class FaultReport(PublicModel):
    """Somebody, or something, says that a vehicle is not as it should be."""

    case_number = models.CharField(
        _("case number"), max_length=8, unique=True, default=case_number, editable=False
    )
    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        related_name="faults",
        verbose_name=_("vehicle"),
    )
    source = models.CharField(_("source"), max_length=16, choices=states.FaultSource.choices)
    category = models.CharField(_("category"), max_length=16, choices=states.FaultCategory.choices)
    severity = models.PositiveSmallIntegerField(_("severity"), choices=states.Severity.choices)
    text = models.CharField(_("what was said"), max_length=1000, blank=True)
    reported_by = models.CharField(_("reported by"), max_length=100)
    trip_ref = models.CharField(_("trip"), max_length=80, blank=True)
    # What a machine knew when it reported: the alarm and its details.
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    at = models.DateTimeField(_("at"))
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=states.FaultState.choices,
        default=states.FaultState.OPEN,
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    order = models.ForeignKey(
        "fleet.WorkOrder",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="faults",
        verbose_name=_("work order"),
    )

    moves: ClassVar = {"state": states.FAULT_MOVES}
    objects = FaultReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("fault report")
        verbose_name_plural = _("fault reports")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(lon=None, lat=None) | Q(lon__range=(-180, 180), lat__range=(-90, 90)),
                name="fleet_fault_place_is_on_earth",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("open", "accepted"), closed_at=None)
                | Q(state__in=("resolved", "dismissed"), closed_at__isnull=False),
                name="fleet_fault_closed_with_a_date",
            ),
        )
        indexes = (
            models.Index(
                fields=("vehicle", "severity"),
                condition=Q(state__in=("open", "accepted")),
                name="fleet_fault_open",
            ),
            models.Index(fields=("vehicle", "reported_by", "-at"), name="fleet_fault_same"),
            models.Index(fields=("reported_by", "-id"), name="fleet_fault_by"),
        )

    def __str__(self) -> str:
        return f"{self.case_number} {self.category}"
