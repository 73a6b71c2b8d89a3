"""Trips."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.trips.states import (
    RIDING,
    TRIP_MOVES,
    EndReason,
    Notice,
    TripFlag,
    TripState,
    Waiver,
)
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


class TripQuerySet(models.QuerySet["Trip"]):
    """Trips by who may see them and what is to be done about them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those of their vehicles; the city sees no person's."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(user=user) | Q(organisation__in=operated))

    def with_story(self) -> Self:
        """Trips with all that their page shows, in one query."""
        return self.select_related(
            "vehicle__type",
            "vehicle__latest",
            "reservation__hold",
            "payment__organisation",
            "user",
        )

    def waiting(self, state: TripState, *, since: "datetime.datetime") -> Self:
        """Those that have waited in `state` for the vehicle's word since before `since`."""
        return self.filter(state=state, waiting_since__lte=since)

    def riding(self) -> Self:
        """Under way, paused or not."""
        return self.filter(state__in=RIDING)


class Trip(PublicModel):
    """One ride of one person on one vehicle."""

    moves: ClassVar = {"state": TRIP_MOVES}

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="trips",
        verbose_name=_("person"),
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    vehicle = models.ForeignKey(
        "fleet.Vehicle", models.PROTECT, related_name="+", verbose_name=_("vehicle")
    )
    reservation = models.OneToOneField(
        "bookings.Reservation",
        models.PROTECT,
        related_name="trip",
        verbose_name=_("reservation"),
    )
    payment = models.OneToOneField(
        "bookings.Payment",
        models.PROTECT,
        null=True,
        related_name="trip",
        verbose_name=_("payment"),
    )
    state = models.CharField(
        _("state"), max_length=12, choices=TripState, default=TripState.STARTING
    )
    requested_at = models.DateTimeField(_("requested at"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    # Frozen at the first valid attempt to end: whatever the lock does later, the meter stands.
    end_requested_at = models.DateTimeField(_("end requested at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    end_reason = models.CharField(
        _("why it ended"), max_length=16, choices=EndReason, blank=True, default=""
    )
    # Where the vehicle stood when the ride was asked for.
    start_lon = models.FloatField(_("longitude at the start"), null=True, blank=True)
    start_lat = models.FloatField(_("latitude at the start"), null=True, blank=True)
    # What the price rules know of places: names of zones at the start and the end.
    zones = models.JSONField(_("zones of the price"), default=list, blank=True)
    # The first time the rider tried to end, allowed or not: an outage is theirs from then on.
    first_attempt_at = models.DateTimeField(_("first tried to end at"), null=True, blank=True)
    # Every time the rider was refused, for outages that are noticed later.
    tried_at = ArrayField(
        models.DateTimeField(), verbose_name=_("tried to end at"), default=list, blank=True
    )
    end_blocked_at = models.DateTimeField(_("end refused since"), null=True, blank=True)
    # Since when the vehicle stands still and locked, as the keeper sees it every few seconds.
    idle_since = models.DateTimeField(_("stands locked since"), null=True, blank=True)
    noticed = ArrayField(
        models.CharField(max_length=16, choices=Notice),
        verbose_name=_("told the rider"),
        default=list,
        blank=True,
    )
    photo_due_at = models.DateTimeField(_("photo expected until"), null=True, blank=True)
    # The vehicle of a failed start unlocked after all; watched for a while.
    unlocked_late_at = models.DateTimeField(_("unlocked late at"), null=True, blank=True)
    incident = models.ForeignKey(
        "bookings.Incident",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="trips",
        verbose_name=_("outage"),
    )
    waiver = models.CharField(_("waived"), max_length=8, choices=Waiver, blank=True, default="")
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    # Since when the trip waits for the vehicle; what the sweeps look at.
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    # Riding and paused stretches, [{"kind", "start", "end"}]: written with the state in one UPDATE.
    stretches = models.JSONField(_("stretches"), default=list)
    commands = models.PositiveSmallIntegerField(_("commands sent"), default=0)
    end_refusals = models.PositiveSmallIntegerField(_("refused ends"), default=0)
    last_refusal = models.JSONField(_("last refusal"), default=list, blank=True)
    flags = ArrayField(
        models.CharField(max_length=24, choices=TripFlag),
        verbose_name=_("flags"),
        default=list,
        blank=True,
    )
    failure = models.CharField(_("failure"), max_length=40, blank=True)
    distance_m = models.PositiveIntegerField(_("distance"), null=True, blank=True)
    price_cents = models.PositiveIntegerField(_("price"), null=True, blank=True)

    objects = TripQuerySet.as_manager()

    class Meta:
        verbose_name = _("trip")
        verbose_name_plural = _("trips")
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="trip_by_user"),
            models.Index(
                fields=["state", "waiting_since"],
                name="trip_waiting",
                condition=Q(state__in=["starting", "running", "paused", "ending", "ended"]),
            ),
            models.Index(
                fields=["unlocked_late_at"],
                name="trip_unlocked_late",
                condition=Q(unlocked_late_at__isnull=False),
            ),
            models.Index(
                fields=["organisation", "first_attempt_at"],
                name="trip_tried_to_end",
                condition=Q(first_attempt_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.state}"
