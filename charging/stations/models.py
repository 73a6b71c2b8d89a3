"""Sites, stations and their connectors; the commands sent to them; who could not get in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.contrib.gis.db import models
from django.contrib.gis.measure import D
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.stations.states import (
    COMMAND_MOVES,
    COMMAND_OPEN,
    REGISTRATION_MOVES,
    CommandAction,
    CommandState,
    ConnectorStatus,
    Registration,
)
from mobility.accounts.states import Role
from mobility.core import geo
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField, pick

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person

OCPP_VERSIONS = ("ocpp1.6", "ocpp2.0.1")
# A station that sent nothing for this many heartbeat intervals is offline, socket or not.
SILENT_INTERVALS = 3


def all_ocpp_versions() -> list[str]:
    """Subprotocols that a new station may speak."""
    return list(OCPP_VERSIONS)


def operated_by(user: Person, *, site: str = "") -> Q:
    """Rows whose site (reached by the lookup path `site`) this person operates."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Q(pk__in=[])
    if user.is_superuser:
        return Q()
    prefix = f"{site}__" if site else ""
    own = user.organisations_as(Role.CHARGE_POINT_OPERATOR)
    return Q(**{f"{prefix}organisation__in": own})


def seen_by(user: Person, *, site: str = "") -> Q:
    """Rows whose site this person operates, or that stand in the city whose officer they are.

    For the hardware itself; what happens on it (sessions, commands) is the operator's business.
    """
    scope = operated_by(user, site=site)
    if isinstance(user, AnonymousUser) or not user.is_active or user.is_superuser:
        return scope
    prefix = f"{site}__" if site else ""
    in_city = user.organisations_as(Role.CITY_OFFICER)
    return scope | Q(**{f"{prefix}city__organisation__in": in_city})


class SiteQuerySet(models.QuerySet["Site"]):
    """Sites by owner and by place."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(seen_by(user))

    def within(self, *, lon: float, lat: float, radius_m: float) -> Self:
        """Sites at most `radius_m` metres away, measured on the spheroid."""
        return self.filter(location__dwithin=(geo.point(lon, lat), D(m=radius_m)))


class Site(PublicModel):
    """A place with charging stations, behind one grid connection."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="charging_sites",
        verbose_name=_("operator"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="charging_sites",
        verbose_name=_("city"),
    )
    hub = models.ForeignKey(
        "mobility.Hub",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="charging_sites",
        verbose_name=_("mobility hub"),
    )
    name = LocalizedField(_("name"))
    address = models.CharField(_("address"), max_length=200, blank=True)
    location = models.PointField(_("location"), geography=True)
    grid_limit_w = models.PositiveIntegerField(
        _("grid connection limit (W)"),
        null=True,
        blank=True,
    )

    objects = SiteQuerySet.as_manager()

    class Meta:
        verbose_name = _("charging site")
        verbose_name_plural = _("charging sites")

    def __str__(self) -> str:
        return pick(self.name)


class StationQuerySet(models.QuerySet["ChargingStation"]):
    """Stations by owner."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(seen_by(user, site="site"))

    def operated_by(self, user: Person) -> Self:
        """What this person may command."""
        return self.filter(operated_by(user, site="site"))


class ChargingStation(PublicModel):
    """A charger: one OCPP identity, one password, one socket at a time.

    `connection_epoch` counts connections; the newest owns the station, and everything an older
    one still does (closing, finishing commands) is recognised by its epoch and changes nothing.
    """

    moves: ClassVar = {"registration": REGISTRATION_MOVES}

    site = models.ForeignKey(
        Site,
        on_delete=models.PROTECT,
        related_name="stations",
        verbose_name=_("site"),
    )
    identity = models.CharField(_("identity"), max_length=48, unique=True)
    vendor = models.CharField(_("vendor"), max_length=50, blank=True)
    model = models.CharField(_("model"), max_length=50, blank=True)
    serial = models.CharField(_("serial number"), max_length=50, blank=True)
    firmware = models.CharField(_("firmware"), max_length=50, blank=True)
    boot_reason = models.CharField(_("boot reason"), max_length=30, blank=True)
    boot_details = models.JSONField(_("boot details"), default=dict, blank=True)
    booted_at = models.DateTimeField(_("booted at"), null=True, blank=True)
    boot_interval_s = models.PositiveIntegerField(_("heartbeat interval (s)"), default=300)

    security_profile = models.PositiveSmallIntegerField(_("security profile"), default=1)
    password_hash = models.CharField(_("password hash"), max_length=200, blank=True)
    previous_password_hash = models.CharField(
        _("previous password hash"),
        max_length=200,
        blank=True,
    )
    registration = models.CharField(
        _("registration"),
        max_length=10,
        choices=Registration,
        default=Registration.ACCEPTED,
    )
    ocpp_versions = ArrayField(
        models.CharField(max_length=12),
        verbose_name=_("allowed OCPP versions"),
        default=all_ocpp_versions,
    )

    connection_epoch = models.PositiveBigIntegerField(_("connection number"), default=0)
    connected_at = models.DateTimeField(_("connected at"), null=True, blank=True)
    disconnected_at = models.DateTimeField(_("disconnected at"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    ocpp_version = models.CharField(_("OCPP version"), max_length=12, blank=True)
    gateway = models.CharField(_("gateway"), max_length=80, blank=True)
    status = models.CharField(
        _("status"),
        max_length=12,
        choices=ConnectorStatus,
        default=ConnectorStatus.UNKNOWN,
    )
    status_at = models.DateTimeField(_("status since"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=50, blank=True)

    objects = StationQuerySet.as_manager()

    class Meta:
        verbose_name = _("charging station")
        verbose_name_plural = _("charging stations")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="station_security_profile_known",
                condition=Q(security_profile__lte=3),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["gateway"],
                name="station_connected",
                condition=Q(connected_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.identity

    def is_online(self, *, at: datetime) -> bool:
        """Whether the station has a socket and was heard within three heartbeat intervals."""
        if self.connected_at is None or self.last_seen_at is None:
            return False
        silence = timedelta(seconds=SILENT_INTERVALS * self.boot_interval_s)
        return at - self.last_seen_at <= silence


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
    error_code = models.CharField(_("error"), max_length=50, blank=True)
    status_info = models.CharField(_("information"), max_length=100, blank=True)

    objects = ConnectorQuerySet.as_manager()

    class Meta:
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["evse", "number"], name="connector_number_per_evse"),
            models.CheckConstraint(name="connector_number_positive", condition=Q(number__gte=1)),
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
    action = models.CharField(_("action"), max_length=20, choices=CommandAction)
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


class RefusedHandshakeQuerySet(models.QuerySet["RefusedHandshake"]):
    """Refused handshakes by the operator whose station the identity names."""

    def visible_to(self, user: Person) -> Self:
        """Those naming an own station; identities nobody owns are shown to every operator.

        A charger whose identity was mistyped belongs to nobody yet, and the operator who stands
        in front of it needs to find it.
        """
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        stations = ChargingStation.objects.all()
        own = stations.visible_to(user).values("identity")
        if not user.has_role(Role.CHARGE_POINT_OPERATOR):
            return self.filter(identity__in=own)
        return self.filter(
            Q(identity__in=own) | ~Q(identity__in=stations.values("identity")),
        )


class RefusedHandshake(models.Model):
    """A connection attempt that was turned away, with the reason as a code."""

    at = models.DateTimeField(_("at"))
    identity = models.CharField(_("identity"), max_length=200)
    path = models.CharField(_("path"), max_length=300, blank=True)
    reason = models.CharField(_("reason"), max_length=60)
    remote = models.CharField(_("from"), max_length=80, blank=True)

    objects = RefusedHandshakeQuerySet.as_manager()

    class Meta:
        verbose_name = _("refused handshake")
        verbose_name_plural = _("refused handshakes")
        indexes: ClassVar = [
            models.Index(fields=["-at"], name="refused_handshake_recent"),
            models.Index(fields=["identity", "-at"], name="refused_handshake_identity"),
        ]

    def __str__(self) -> str:
        return f"{self.identity}: {self.reason}"
