"""Bookings: a car for a span of time to come."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    DateTimeRangeField,
    RangeBoundary,
    RangeOperators,
)
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from bookings.pricing.rules import Fare
from bookings.reservations.states import BOOKING_MOVES, OPEN_BOOKINGS, BookingState
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


class BookingQuerySet(models.QuerySet["Booking"]):
    """Bookings by who may see them and what is to be done about them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those of their vehicles."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(user=user) | Q(organisation__in=operated))

    def run_by(self, user: "User", *roles: str) -> Self:
        """Those of the organisations in which the person has one of `roles`: theirs to act on."""
        if user.is_superuser:
            return self
        return self.filter(organisation__in=user.organisations_as(*roles))

    def with_story(self) -> Self:
        """Bookings with all that their page shows, in one query."""
        return self.select_related(
            "vehicle__type", "vehicle__latest", "hub", "district", "hold", "connector_hold", "user"
        )

    def coming(self, *, before: "datetime.datetime") -> Self:
        """Confirmed ones that begin before an instant; the window of none of them is open."""
        return self.filter(state=BookingState.CONFIRMED, starts_at__lt=before).order_by("starts_at")

    def unclaimed(self, *, since: "datetime.datetime") -> Self:
        """Those whose vehicle waits and whose time began at or before `since`, the longest first."""
        waiting = self.filter(state=BookingState.WINDOW_OPEN, starts_at__lte=since)
        return waiting.order_by("starts_at")


class Booking(PublicModel):
    """A person's claim on a car from `starts_at` until before `ends_at`, at the price as shown.

    The fleet's hold behind it covers the pause after it too, and decides races for the vehicle.
    """

    moves: ClassVar = {"state": BOOKING_MOVES}

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="bookings",
        verbose_name=_("person"),
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    vehicle = models.ForeignKey(
        "fleet.Vehicle", models.PROTECT, related_name="+", verbose_name=_("vehicle")
    )
    # Asked for this very vehicle, not for one of a class; staff and late riders can still move it.
    chosen = models.BooleanField(_("this very vehicle"), default=False)
    hub = models.ForeignKey(
        "mobility.Hub",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("hub"),
    )
    district = models.ForeignKey(
        "mobility.District",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("district"),
    )
    range_m = models.PositiveIntegerField(_("range needed"), null=True, blank=True)
    hold = models.OneToOneField(
        "fleet.VehicleHold", models.PROTECT, related_name="+", verbose_name=_("hold")
    )
    connector_hold = models.OneToOneField(
        "charging.ConnectorHold",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("connector kept for the return"),
    )
    tariff_version = models.ForeignKey(
        "bookings.TariffVersion", models.PROTECT, related_name="+", verbose_name=_("tariff")
    )
    # The numbers as shown before confirming; another vehicle in its place costs the same.
    fare_terms = models.JSONField(_("quoted fare"))
    estimate_cents = models.PositiveIntegerField(_("estimate"), default=0)
    slot = models.PositiveSmallIntegerField(_("place"), default=0)
    state = models.CharField(
        _("state"), max_length=16, choices=BookingState, default=BookingState.REQUESTED
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    free_until = models.DateTimeField(_("cancelled free until"))
    requested_at = models.DateTimeField(_("requested at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    # Since when its vehicle is expected not to be there in time, with no other one in sight.
    at_risk_since = models.DateTimeField(_("at risk since"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded at"), null=True, blank=True)
    moved = models.PositiveSmallIntegerField(_("times moved to another vehicle"), default=0)
    fee_cents = models.PositiveIntegerField(_("fee"), null=True, blank=True)

    objects = BookingQuerySet.as_manager()

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="booking_ends_after_it_begins"
            ),
            # So many cars per person at a time; the database decides.
            ExclusionConstraint(
                name="one_booking_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("slot", RangeOperators.EQUAL),
                    (
                        Func(
                            F("starts_at"),
                            F("ends_at"),
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(state__in=OPEN_BOOKINGS),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["state", "starts_at"],
                name="booking_coming",
                condition=Q(state__in=OPEN_BOOKINGS),
            ),
            models.Index(fields=["user", "-starts_at"], name="booking_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.state}"

    @property
    def fare(self) -> Fare:
        """The fare as shown."""
        return Fare.from_json(self.fare_terms)

    @property
    def minutes(self) -> int:
        """How long it lasts, elapsed: the two days of a clock change count like all others."""
        return int((self.ends_at - self.starts_at).total_seconds()) // 60
