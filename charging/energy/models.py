"""Energy wanted by a time, what a site may draw, and the charging profiles that stations hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from charging.energy.states import (
    DEMAND_MOVES,
    DEMAND_WAITING,
    PROFILE_MOVES,
    DemandState,
    ProfilePurpose,
    ProfileState,
)
from charging.stations.scoping import operated_by
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from mobility.accounts.scoping import Person


class DemandQuerySet(models.QuerySet["EnergyDemand"]):
    """Demands by operator and by whether they wait."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="connector__evse__station__site"))

    def waiting(self) -> Self:
        """Not met and not withdrawn."""
        return self.filter(state__in=DEMAND_WAITING)


class EnergyDemand(PublicModel):
    """So much energy at a connector by a time; who wants it is a word to us.

    `delivered_wh` counts what sessions brought since the demand was made.
    """

    moves: ClassVar = {"state": DEMAND_MOVES}

    connector = models.ForeignKey(
        "charging.Connector",
        on_delete=models.CASCADE,
        related_name="energy_demands",
        verbose_name=_("connector"),
    )
    owner_ref = models.CharField(_("wanted by"), max_length=100)
    energy_wh = models.PositiveIntegerField(_("energy (Wh)"))
    ready_by = models.DateTimeField(_("ready by"))
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=5, help_text=_("1 comes before 9.")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=DemandState, default=DemandState.OPEN
    )
    session = models.ForeignKey(
        "charging.ChargingSession",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="energy_demands",
        verbose_name=_("session"),
    )
    # The session's energy when the demand met it: what came before counts for nobody.
    baseline_wh = models.PositiveBigIntegerField(_("energy before (Wh)"), default=0)
    delivered_wh = models.PositiveBigIntegerField(_("delivered (Wh)"), default=0)
    created_at = models.DateTimeField(_("created at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = DemandQuerySet.as_manager()

    class Meta:
        verbose_name = _("energy demand")
        verbose_name_plural = _("energy demands")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connector"],
                condition=Q(state__in=sorted(DEMAND_WAITING)),
                name="energy_demand_per_connector",
            ),
            models.CheckConstraint(
                name="energy_demand_priority", condition=Q(priority__gte=1, priority__lte=9)
            ),
            models.CheckConstraint(name="energy_demand_positive", condition=Q(energy_wh__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.connector_id} {self.energy_wh} Wh"


class SiteLoadQuerySet(models.QuerySet["SiteLoad"]):
    """Load settings by operator."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="site"))

    def run_by(self, user: Person, *roles: str) -> Self:
        """The rows of the organisations in which this person has one of `roles`."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        return self.filter(site__organisation__in=user.organisations_as(*roles))


class SiteLoad(models.Model):
    """Whether we share out what a site may draw, how much that is, and what was last decided.

    `plan` maps a connector's id to the tenths of an ampere it was given on each phase.
    """

    site = models.OneToOneField(
        "charging.Site",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="load",
        verbose_name=_("site"),
    )
    managed = models.BooleanField(
        _("shared out"),
        default=False,
        help_text=_("Send charging profiles so that the site never draws more than its limit."),
    )
    limit_a = models.PositiveIntegerField(
        _("limit per phase (A)"),
        null=True,
        blank=True,
        help_text=_("Left empty, it follows from the limit of the grid connection in watts."),
    )
    plan = models.JSONField(_("plan"), default=dict, blank=True, editable=False)
    planned_at = models.DateTimeField(_("planned at"), null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed at"), null=True, blank=True, editable=False)

    objects = SiteLoadQuerySet.as_manager()

    class Meta:
        verbose_name = _("site load")
        verbose_name_plural = _("site loads")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="site_limit_positive", condition=Q(limit_a__isnull=True) | Q(limit_a__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return str(self.site)


class ProfileQuerySet(models.QuerySet["ChargingProfile"]):
    """Profiles by operator and by whether a station has or may have them."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="connector__evse__station__site"))

    def held(self) -> Self:
        """Sent and not known to be gone."""
        return self.filter(state__in=[ProfileState.ASKED, ProfileState.SET])


class ChargingProfile(PublicModel):
    """One charging profile of ours at one connector; its number on the wire is its id here.

    `confirmed_da` is what the station took (tenths of an ampere per phase), `limit_da` what was
    last sent. One row per connector, purpose and level: a new plan replaces the old one under the
    same number, so two profiles never stand at one level.
    """

    moves: ClassVar = {"state": PROFILE_MOVES}

    connector = models.ForeignKey(
        "charging.Connector",
        on_delete=models.CASCADE,
        related_name="charging_profiles",
        verbose_name=_("connector"),
    )
    purpose = models.CharField(_("purpose"), max_length=30, choices=ProfilePurpose)
    stack_level = models.PositiveSmallIntegerField(_("level"), default=0)
    transaction_ref = models.CharField(_("transaction"), max_length=64, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=ProfileState, default=ProfileState.ASKED
    )
    limit_da = models.PositiveIntegerField(_("limit (0.1 A)"), default=0)
    confirmed_da = models.PositiveIntegerField(_("limit in force (0.1 A)"), null=True, blank=True)
    valid_to = models.DateTimeField(_("valid until"), null=True, blank=True)
    confirmed_valid_to = models.DateTimeField(_("in force until"), null=True, blank=True)
    command = models.ForeignKey(
        "charging.StationCommand",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("command"),
    )
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    problem = models.CharField(_("problem"), max_length=40, blank=True)

    objects = ProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("charging profile")
        verbose_name_plural = _("charging profiles")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connector", "purpose", "stack_level"], name="charging_profile_level"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connector_id} {self.purpose} {self.limit_da / 10} A"


class LimitQuerySet(models.QuerySet["ChargingLimit"]):
    """Limits by operator and by whether they hold."""

    def visible_to(self, user: Person) -> Self:
        """What this person may see."""
        return self.filter(operated_by(user, site="station__site"))

    def in_force(self) -> Self:
        """Named and not taken back."""
        return self.filter(cleared_at__isnull=True)


class ChargingLimit(PublicModel):
    """A limit that somebody else put on a station: a local energy manager, the grid's operator."""

    station = models.ForeignKey(
        "charging.ChargingStation",
        on_delete=models.CASCADE,
        related_name="charging_limits",
        verbose_name=_("station"),
    )
    evse = models.PositiveSmallIntegerField(_("EVSE"), default=0)
    source = models.CharField(_("source"), max_length=20)
    grid_critical = models.BooleanField(_("the grid is in need"), default=False)
    limit_da = models.PositiveIntegerField(_("limit (0.1 A)"), null=True, blank=True)
    schedules = models.JSONField(_("schedules"), default=list, blank=True)
    since = models.DateTimeField(_("since"))
    cleared_at = models.DateTimeField(_("cleared at"), null=True, blank=True)

    objects = LimitQuerySet.as_manager()

    class Meta:
        verbose_name = _("limit of others")
        verbose_name_plural = _("limits of others")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["station", "evse", "source"],
                condition=Q(cleared_at__isnull=True),
                name="charging_limit_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.evse} {self.source}"
