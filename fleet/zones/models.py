"""Versioned sets of zones, the zones in them, and the rules of zones.

A set is drafted, published from a moment on, and superseded by the next one. Of one organisation
in one city exactly one set is in force at a time. The city's own set binds every operator, an
operator's set its own vehicles; a vehicle must obey both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.contrib.gis.db import models
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles.scoping import FLEET_STAFF, FleetScoped
from fleet.vehicles.states import Kind
from fleet.zones.states import SET_MOVES, SetState, ZoneKind
from mobility.accounts.scoping import Person
from mobility.accounts.states import Role
from mobility.core.models import PublicModel
from mobility.core.texts import LocalizedField
from mobility.core.weekdays import WEEKDAYS

if TYPE_CHECKING:
    import datetime

Row = TypeVar("Row", bound=models.Model)


class OfSets(FleetScoped[Row]):
    """Sets and what is in them: an operator's staff see their own, the city's officer all of the
    city, but no draft of another organisation."""

    set_path: ClassVar[str] = ""

    def visible_to(self, user: Person) -> Self:
        """The rows this person may see."""
        visible = super().visible_to(user)
        if isinstance(user, AnonymousUser) or user.is_superuser:
            return visible
        own = user.organisations_as(*FLEET_STAFF, Role.CITY_OFFICER)
        return visible.filter(
            ~Q(**{f"{self.set_path}state": SetState.DRAFT})
            | Q(**{f"{self.set_path}organisation__in": own})
        )


class ZoneSetQuerySet(OfSets["ZoneSet"]):
    """Sets by time."""

    staff_paths: ClassVar = ("organisation",)
    city_path = "city__organisation"

    def in_force(self, at: datetime.datetime) -> ZoneSetQuerySet:
        """Sets whose rules hold (or held) at a moment."""
        return self.exclude(state=SetState.DRAFT).filter(during__contains=at)

    def of(self, *, organisation_id: int, city_id: int) -> ZoneSetQuerySet:
        """All versions of one organisation in one city."""
        return self.filter(organisation=organisation_id, city=city_id)


class ZoneSet(PublicModel):
    """All zones of one organisation in one city, as one version."""

    organisation = models.ForeignKey(
        "mobility.Organisation",
        on_delete=models.PROTECT,
        related_name="zone_sets",
        verbose_name=_("organisation"),
    )
    city = models.ForeignKey(
        "mobility.City",
        on_delete=models.PROTECT,
        related_name="zone_sets",
        verbose_name=_("city"),
    )
    title = models.CharField(_("title"), max_length=120)
    state = models.CharField(
        _("state"), max_length=12, choices=SetState.choices, default=SetState.DRAFT, editable=False
    )
    # Counted when published; drafts have none, because nobody knows which will come first.
    version = models.PositiveIntegerField(_("version"), null=True, blank=True, editable=False)
    # Empty for a version that was superseded before it came into force.
    during = DateTimeRangeField(_("in force during"), null=True, blank=True, editable=False)
    based_on = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("based on"),
    )
    created_at = models.DateTimeField(_("created at"), editable=False)
    created_by = models.CharField(_("created by"), max_length=100, editable=False)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)
    published_by = models.CharField(_("published by"), max_length=100, blank=True, editable=False)

    moves: ClassVar = {"state": SET_MOVES}
    objects = ZoneSetQuerySet.as_manager()

    class Meta:
        verbose_name = _("zone set")
        verbose_name_plural = _("zone sets")
        ordering = ("city", "organisation", "-id")
        constraints = (
            ExclusionConstraint(
                name="fleet_one_zone_set_in_force",
                expressions=(
                    ("organisation", RangeOperators.EQUAL),
                    ("city", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ),
                condition=~Q(state=SetState.DRAFT),
            ),
            models.UniqueConstraint(
                fields=("organisation", "city", "version"), name="fleet_zone_set_version_once"
            ),
            models.CheckConstraint(
                condition=Q(state=SetState.DRAFT, during=None, version=None, published_at=None)
                | (
                    ~Q(state=SetState.DRAFT)
                    & Q(during__isnull=False, version__isnull=False, published_at__isnull=False)
                ),
                name="fleet_zone_set_is_draft_or_dated",
            ),
        )

    def __str__(self) -> str:
        return self.title if self.version is None else f"{self.title} ({self.version})"


class ZoneQuerySet(OfSets["Zone"]):
    """Zones by the time of their sets."""

    staff_paths: ClassVar = ("zone_set__organisation",)
    city_path = "zone_set__city__organisation"
    set_path = "zone_set__"

    def valid_at(self, at: datetime.datetime) -> ZoneQuerySet:
        """Zones of the sets in force at a moment."""
        return self.exclude(zone_set__state=SetState.DRAFT).filter(zone_set__during__contains=at)


class Zone(models.Model):
    """One area of a set; the lower its position, the earlier its rules are asked."""

    zone_set = models.ForeignKey(
        ZoneSet, on_delete=models.CASCADE, related_name="zones", verbose_name=_("zone set")
    )
    position = models.PositiveSmallIntegerField(
        _("position"),
        default=0,
        help_text=_("Where zones overlap, the one with the lower position decides."),
    )
    code = models.CharField(_("code"), max_length=40)
    name = LocalizedField(_("name"))
    kind = models.CharField(_("kind"), max_length=16, choices=ZoneKind.choices)
    # May be broken while the set is a draft; publishing refuses it, and so does the database.
    boundary = models.MultiPolygonField(_("boundary"), srid=4326)
    hub = models.ForeignKey(
        "mobility.Hub",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="zones",
        verbose_name=_("hub"),
    )
    capacity = models.PositiveSmallIntegerField(_("capacity"), null=True, blank=True)

    objects = ZoneQuerySet.as_manager()

    class Meta:
        verbose_name = _("zone")
        verbose_name_plural = _("zones")
        ordering = ("zone_set", "position", "id")
        constraints = (
            models.UniqueConstraint(fields=("zone_set", "code"), name="fleet_zone_code_once"),
        )

    def __str__(self) -> str:
        return f"{self.code} ({self.kind})"

    def clean(self) -> None:
        """Tell the person who draws what is wrong with the line; a program hears it from the check."""
        if self.boundary and not self.boundary.valid:
            message = _("The boundary is not sound: %(reason)s")
            raise ValidationError(
                {"boundary": message % {"reason": self.boundary.valid_reason}},
            )


class ZoneRuleQuerySet(OfSets["ZoneRule"]):
    """Rules, seen by those who see their set."""

    staff_paths: ClassVar = ("zone_set__organisation",)
    city_path = "zone_set__city__organisation"
    set_path = "zone_set__"


class ZoneRule(models.Model):
    """What holds in a zone, or without a zone everywhere, for some vehicles, riders and hours.

    A zone without rules has the rule of its kind (`rules.DEFAULTS`). An attribute left empty says
    nothing, and the next rule or zone is asked.
    """

    zone_set = models.ForeignKey(
        ZoneSet, on_delete=models.CASCADE, related_name="rules", verbose_name=_("zone set")
    )
    zone = models.ForeignKey(
        Zone,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("zone"),
        help_text=_("Empty: holds wherever no zone says otherwise."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    vehicle_kinds = ArrayField(
        models.CharField(max_length=16, choices=Kind.choices),
        verbose_name=_("vehicle kinds"),
        default=list,
        blank=True,
        help_text=_("Kinds and types both empty: every vehicle."),
    )
    vehicle_types = ArrayField(
        models.CharField(max_length=50),
        verbose_name=_("vehicle types (codes)"),
        default=list,
        blank=True,
    )
    user_groups = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("user groups"),
        default=list,
        blank=True,
        help_text=_("Empty: every rider."),
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS),
        verbose_name=_("weekdays"),
        default=list,
        blank=True,
        help_text=_("1 is Monday, 7 is Sunday; empty: every day."),
    )
    start_time = models.TimeField(_("from"), null=True, blank=True)
    end_time = models.TimeField(
        _("until"), null=True, blank=True, help_text=_("May lie after midnight.")
    )
    ride_start_allowed = models.BooleanField(_("rides may start"), null=True, blank=True)
    ride_end_allowed = models.BooleanField(_("rides may end"), null=True, blank=True)
    ride_through_allowed = models.BooleanField(_("riding through"), null=True, blank=True)
    station_parking = models.BooleanField(_("parking in bays only"), null=True, blank=True)
    maximum_speed_kmh = models.PositiveSmallIntegerField(
        _("speed limit (km/h)"), null=True, blank=True
    )

    objects = ZoneRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("zone rule")
        verbose_name_plural = _("zone rules")
        ordering = ("zone_set", "zone", "position", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(start_time=None, end_time=None)
                | (
                    Q(start_time__isnull=False, end_time__isnull=False)
                    & ~Q(start_time=F("end_time"))
                ),
                name="fleet_zone_rule_hours_have_two_ends",
                violation_error_message=_("Hours need a beginning and another end."),
            ),
            models.CheckConstraint(
                condition=Q(maximum_speed_kmh=None) | Q(maximum_speed_kmh__gte=1),
                name="fleet_zone_rule_speed_is_positive",
                violation_error_message=_("A speed limit is at least 1 km/h."),
            ),
        )

    def __str__(self) -> str:
        return f"{self.zone_id or '*'}/{self.position}"
