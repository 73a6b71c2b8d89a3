"""Alarms: at most one of a kind goes on for a vehicle at a time."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.telematics import states
from fleet.vehicles.scoping import FleetScoped
from mobility.core.models import PublicModel


class AlarmQuerySet(FleetScoped["Alarm"]):
    """Alarms by whether they go on."""

    def active(self) -> AlarmQuerySet:
        return self.exclude(state=states.AlarmState.CLOSED)


class Alarm(PublicModel):
    """Something about a vehicle that staff must see to, from when it began until it was over.

    What is noticed again while it goes on is counted here and opens nothing new.
    """

    vehicle = models.ForeignKey(
        "fleet.Vehicle",
        on_delete=models.PROTECT,
        related_name="alarms",
        verbose_name=_("vehicle"),
    )
    kind = models.CharField(_("kind"), max_length=24, choices=states.AlarmKind.choices)
    severity = models.CharField(_("severity"), max_length=12, choices=states.AlarmSeverity.choices)
    state = models.CharField(
        _("state"),
        max_length=16,
        choices=states.AlarmState.choices,
        default=states.AlarmState.OPEN,
    )
    opened_at = models.DateTimeField(_("opened"))
    last_seen_at = models.DateTimeField(_("last noticed"))
    count = models.PositiveIntegerField(_("times noticed"), default=1)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        related_name="fleet_alarms",
        verbose_name=_("assigned to"),
        null=True,
        blank=True,
    )
    details = models.JSONField(_("details"), default=dict, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=100, blank=True)

    moves: ClassVar = {"state": states.ALARM_MOVES}
    objects = AlarmQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("vehicle", "kind"),
                condition=~Q(state="closed"),
                name="fleet_one_alarm_per_kind",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | (~Q(state="closed") & Q(closed_at__isnull=True)),
                name="fleet_alarm_closed_has_a_time",
            ),
        )
        indexes = (
            models.Index(fields=("vehicle", "opened_at"), name="fleet_alarm_vehicle_opened"),
            models.Index(
                fields=("kind",), condition=~Q(state="closed"), name="fleet_alarm_active_kind"
            ),
        )

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.kind} {self.state}"
