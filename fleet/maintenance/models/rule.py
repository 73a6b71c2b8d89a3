"""When service is due without anything being broken."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.maintenance import rules, states
from fleet.maintenance.models.checklist import ChecklistTemplate
from fleet.vehicles.scoping import FleetScoped
from fleet.vehicles.states import Kind
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField, pick


class MaintenanceRuleQuerySet(FleetScoped["MaintenanceRule"]):
    """Rules of an operator."""

    staff_paths: ClassVar = ("organisation",)

    def active(self) -> MaintenanceRuleQuerySet:
        return self.filter(active=True)


class MaintenanceRule(PublicModel):
    """Service after so many kilometres, days or rides, whichever comes first."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("organisation"),
    )
    # Both empty: every vehicle of the operator.
    vehicle_type = models.ForeignKey(
        "fleet.VehicleType",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("vehicle type"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, blank=True)
    title = LocalizedField(_("title"))
    every_km = models.PositiveIntegerField(_("every (km)"), null=True, blank=True)
    every_days = models.PositiveIntegerField(_("every (days)"), null=True, blank=True)
    every_rides = models.PositiveIntegerField(_("every (rides)"), null=True, blank=True)
    lead_pct = models.PositiveSmallIntegerField(
        _("order when so much of the interval is left (%)"), default=5
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=states.Priority.choices, default=states.Priority.NORMAL
    )
    checklist = models.ForeignKey(
        ChecklistTemplate,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("checklist"),
    )
    active = models.BooleanField(_("active"), default=True)

    objects = MaintenanceRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("maintenance rule")
        verbose_name_plural = _("maintenance rules")
        ordering = ("organisation", "id")
        constraints = (
            models.CheckConstraint(
                # Said twice because of NULL: a check that is not known is one that holds.
                condition=Q(every_km__isnull=False, every_km__gt=0)
                | Q(every_days__isnull=False, every_days__gt=0)
                | Q(every_rides__isnull=False, every_rides__gt=0),
                name="fleet_rule_has_a_measure",
                violation_error_message=_("Give at least one of kilometres, days and rides."),
            ),
            models.CheckConstraint(
                condition=Q(lead_pct__lte=50),
                name="fleet_rule_lead_is_small",
                violation_error_message=_("At most half of the interval may be left."),
            ),
        )

    def __str__(self) -> str:
        return pick(self.title)

    @property
    def interval(self) -> rules.Interval:
        return rules.Interval(
            every_km=self.every_km,
            every_days=self.every_days,
            every_rides=self.every_rides,
            lead_pct=self.lead_pct,
        )
