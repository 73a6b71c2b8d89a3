"""EVSEs, their connectors, and who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from charging.stations.models.stations import ChargingStation
from charging.stations.scoping import seen_by
from charging.stations.states import Availability, ConnectorStatus
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class Evse(models.Model):
    """A part of a station that charges one vehicle at a time."""

    station = models.ForeignKey(
        ChargingStation,
        on_delete=models.CASCADE,
        related_name="evses",
        verbose_name=_("station"),
    )
    number = models.PositiveSmallIntegerField(_("number"))

    class Meta:
        verbose_name = _("EVSE")
        verbose_name_plural = _("EVSEs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "number"], name="evse_number_per_station"),
            models.CheckConstraint(name="evse_number_positive", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.station.identity}/{self.number}"


class ConnectorQuerySet(models.QuerySet["Connector"]):
    """Connectors by owner."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(seen_by(user, site="evse__station__site"))


class Connector(PublicModel):
    """A socket or cable. Its status is the station's word, dated by the station's clock."""

    class Standard(models.TextChoices):
        """Connector types by their OCPI names."""

        TYPE_2 = "IEC_62196_T2", _("Type 2")
        CCS2 = "IEC_62196_T2_COMBO", _("CCS 2")
        TYPE_1 = "IEC_62196_T1", _("Type 1")
        CHADEMO = "CHADEMO", _("CHAdeMO")
        TYPE_3A = "IEC_62196_T3A", _("Type 3A")
        DOMESTIC_F = "DOMESTIC_F", _("Schuko")
        DOMESTIC_L = "DOMESTIC_L", _("Italian household")

    class Format(models.TextChoices):
        """Socket on the station, or cable attached."""

        SOCKET = "SOCKET", _("Socket")
        CABLE = "CABLE", _("Cable")

    class PowerType(models.TextChoices):
        """Kinds of current by their OCPI names."""

        AC_1_PHASE = "AC_1_PHASE", _("AC, one phase")
        AC_3_PHASE = "AC_3_PHASE", _("AC, three phases")
        DC = "DC", _("DC")

    evse = models.ForeignKey(
        Evse,
        on_delete=models.CASCADE,
        related_name="connectors",
        verbose_name=_("EVSE"),
    )
    number = models.PositiveSmallIntegerField(_("number"), default=1)
    standard = models.CharField(
        _("standard"),
        max_length=24,
        choices=Standard,
        default=Standard.TYPE_2,
    )
    format = models.CharField(_("format"), max_length=6, choices=Format, default=Format.SOCKET)
    power_type = models.CharField(
        _("current"),
        max_length=10,
        choices=PowerType,
        default=PowerType.AC_3_PHASE,
    )
    max_power_w = models.PositiveIntegerField(_("maximum power (W)"), default=22_000)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=ConnectorStatus,
        default=ConnectorStatus.UNKNOWN,
    )
    status_detail = models.CharField(_("status detail"), max_length=20, blank=True)
    status_at = models.DateTimeField(_("status since"), null=True, blank=True)
    availability = models.CharField(
        _("availability"),
        max_length=12,
        choices=Availability,
        default=Availability.OPERATIVE,
    )
    error_code = models.CharField(_("error"), max_length=50, blank=True)
    status_info = models.CharField(_("information"), max_length=100, blank=True)
    # What others heard last, and how often since when: a connector that flaps is told of so often
    # a minute, and what stands in the end.
    told_status = models.CharField(
        _("status told to others"),
        max_length=12,
        choices=ConnectorStatus,
        default=ConnectorStatus.UNKNOWN,
        editable=False,
    )
    told_since = models.DateTimeField(_("counted since"), null=True, blank=True, editable=False)
    told_times = models.PositiveSmallIntegerField(_("times told"), default=0, editable=False)

    objects = ConnectorQuerySet.as_manager()

    class Meta:
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["evse", "number"], name="connector_number_per_evse"),
            models.CheckConstraint(name="connector_number_positive", condition=Q(number__gte=1)),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["told_since"],
                name="connector_untold",
                condition=~Q(status=F("told_status")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evse}.{self.number}"

    @property
    def is_fast(self) -> bool:
        """Above 22 kW, the limit the EU's alternative fuels rules draw for normal power."""
        return self.max_power_w > 22_000


class ConnectorHold(PublicModel):
    """A connector kept for one use during a span of time; the database allows no overlap."""

    connector = models.ForeignKey(
        Connector,
        on_delete=models.CASCADE,
        related_name="holds",
        verbose_name=_("connector"),
    )
    during = DateTimeRangeField(_("during"))
    holder_ref = models.CharField(_("holder"), max_length=80)
    created_at = models.DateTimeField(_("created at"))
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)

    class Meta:
        verbose_name = _("connector hold")
        verbose_name_plural = _("connector holds")
        constraints: ClassVar = [
            ExclusionConstraint(
                name="connector_held_once",
                expressions=[
                    ("connector", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=Q(released_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connector_id} {self.holder_ref}"
