"""Reservations: who has a vehicle, until when, and at which price."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.pricing.rules import Fare
from bookings.reservations.rules import overdue_before
from bookings.reservations.states import ACTIVE, RESERVATION_MOVES, ReservationState
from mobility.accounts.states import Role
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    import datetime

    from mobility.accounts.models import User


class ReservationQuerySet(models.QuerySet["Reservation"]):
    """Reservations by who may see them and what is to be done about them."""

    def visible_to(self, user: "User") -> Self:
        """A person's own, and for operators those of their vehicles."""
        if user.is_superuser:
            return self
        operated = user.organisations_as(Role.FLEET_OPERATOR)
        return self.filter(Q(user=user) | Q(organisation__in=operated))

    def overdue(self, at: "datetime.datetime") -> Self:
        """Held ones whose time, and the rider's last chance after it, is over."""
        return self.filter(state=ReservationState.HELD, expires_at__lte=overdue_before(at))


class Reservation(PublicModel):
    """A person's claim on one vehicle; the fleet's hold behind it decides races for the vehicle."""

    moves: ClassVar = {"state": RESERVATION_MOVES}

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="reservations",
        verbose_name=_("person"),
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    vehicle = models.ForeignKey(
        "fleet.Vehicle", models.PROTECT, related_name="+", verbose_name=_("vehicle")
    )
    hold = models.OneToOneField(
        "fleet.VehicleHold", models.PROTECT, related_name="+", verbose_name=_("hold")
    )
    tariff_version = models.ForeignKey(
        "bookings.TariffVersion", models.PROTECT, related_name="+", verbose_name=_("tariff")
    )
    # The numbers as quoted: what happens to the tariff afterwards does not touch this ride.
    fare_terms = models.JSONField(_("quoted fare"))
    # What the person had to their credit when the ride was claimed: pass minutes, a promotion.
    perks = models.JSONField(_("perks"), default=list, db_default=[], blank=True)
    # A booking has a second one if its first vehicle did not start.
    booking = models.ForeignKey(
        "bookings.Booking",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reservations",
        verbose_name=_("booking"),
    )
    # Which of the vehicles that a person may have at once; with 1 allowed it is always 0.
    slot = models.PositiveSmallIntegerField(_("place"), default=0, db_default=0)
    state = models.CharField(
        _("state"), max_length=12, choices=ReservationState, default=ReservationState.HELD
    )
    reserved_at = models.DateTimeField(_("reserved at"))
    expires_at = models.DateTimeField(_("expires at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        constraints: ClassVar = [
            # So many vehicles per person at a time, reserved or ridden; the database decides.
            models.UniqueConstraint(
                fields=["user", "slot"],
                condition=Q(state__in=ACTIVE),
                name="one_active_reservation",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["expires_at"], name="reservation_expiry", condition=Q(state="held")
            ),
            models.Index(fields=["user", "-reserved_at"], name="reservation_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.state}"

    @property
    def fare(self) -> Fare:
        """The fare as quoted."""
        return Fare.from_json(self.fare_terms)
