"""Photos of vehicles as their riders found them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bookings.trips.models.photo import RiderPhotoQuerySet
from mobility.core.models import PublicModel

if TYPE_CHECKING:
    from bookings.trips.models.trip import Trip


class StartPhotoQuerySet(RiderPhotoQuerySet["StartPhoto"]):
    """Photos by which ride they come before."""

    def before(self, trip: Trip) -> Self:
        """Those of this ride's vehicle, taken for its reservation or for the booking behind it.

        A booking that moved to another car meanwhile keeps the photos of the first one to itself.
        """
        claim = Q(reservation=trip.reservation_id)
        if trip.reservation.booking_id is not None:
            claim |= Q(booking=trip.reservation.booking_id)
        return self.filter(claim, vehicle=trip.vehicle_id)


class StartPhoto(PublicModel):
    """What a rider found: a photo of a vehicle that is theirs to take, before anybody drove it.

    It belongs to a reservation or a booking, because there is no ride yet.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        "mobility.Organisation", models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    vehicle = models.ForeignKey(
        "fleet.Vehicle", models.PROTECT, related_name="+", verbose_name=_("vehicle")
    )
    reservation = models.ForeignKey(
        "bookings.Reservation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="photos",
        verbose_name=_("reservation"),
    )
    booking = models.ForeignKey(
        "bookings.Booking",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="photos",
        verbose_name=_("booking"),
    )
    file = models.OneToOneField(
        "mobility.StoredFile", models.PROTECT, related_name="+", verbose_name=_("photo")
    )
    note = models.CharField(_("what was said"), max_length=300, blank=True)
    taken_at = models.DateTimeField(_("sent at"))

    objects = StartPhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo before a ride")
        verbose_name_plural = _("photos before rides")
        ordering = ("-id",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(reservation=None, booking__isnull=False)
                | Q(reservation__isnull=False, booking=None),
                name="start_photo_of_one_claim",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["vehicle", "-taken_at"], name="start_photo_of_vehicle"),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.taken_at:%Y-%m-%d %H:%M}"
