"""Photos of a vehicle as its rider found it: sent before the ride, or while it has just begun.

Whoever photographs a scratch before driving does not answer for it afterwards.

DomainError
└── Conflict  StartPhotoNotWanted, TooManyStartPhotos
"""

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.reservations import spans
from bookings.reservations.models import Booking, Reservation
from bookings.reservations.policies import policy_of
from bookings.reservations.states import WAITING_BOOKINGS, ReservationState
from bookings.trips.models import StartPhoto, Trip
from bookings.trips.queries import keep_photos_for
from bookings.trips.services.photos import may_judge
from bookings.trips.states import RIDING, TripState
from mobility.core import files, locks
from mobility.core.errors import Conflict
from mobility.core.principals import Principal

START_PHOTO = "start_photo"
# A car has four sides, and what is scratched deserves a closer look.
MOST_START_PHOTOS = 8
# What is inside is seen only after unlocking.
JUST_BEGUN = datetime.timedelta(minutes=10)

files.register(START_PHOTO, may_read=may_judge, keep=datetime.timedelta(days=90))


class StartPhotoNotWanted(Conflict):
    """It is not the person's turn yet, or the ride began a while ago."""

    code = "start_photo_not_wanted"
    message = _(
        "Photos of the vehicle as you found it can be sent from when it is yours until"
        " %(minutes)s minutes after unlocking."
    )

    def __init__(self) -> None:
        super().__init__(minutes=JUST_BEGUN // datetime.timedelta(minutes=1))


class TooManyStartPhotos(Conflict):
    """Eight show all of it."""

    code = "too_many_start_photos"
    message = _("There are enough photos of this vehicle.")


def add_start_photo(
    *,
    claim: Reservation | Booking,
    data: bytes,
    note: str = "",
    at: datetime.datetime,
    by: Principal,
) -> StartPhoto:
    """Keep a photo of a vehicle as its rider found it, without anything but its pixels.

    From when the vehicle is theirs (held, or the booking's window open) until ten minutes after its
    ride began, eight at most. It is deleted after as many days as the operator keeps photos of parked
    vehicles. Raises `StartPhotoNotWanted`, `TooManyStartPhotos`, `FileTooLarge`, `FileNotAnImage`.
    """
    if not takes_start_photos(claim=claim, at=at):
        raise StartPhotoNotWanted
    of: dict[str, Any] = {_name(claim): claim, "vehicle": claim.vehicle_id}
    days = keep_photos_for(organisation_id=claim.organisation_id, kind=claim.vehicle.kind)
    with transaction.atomic():
        locks.advisory(f"start_photo:{_name(claim)}:{claim.pk}")
        if StartPhoto.objects.filter(**of).count() >= MOST_START_PHOTOS:
            raise TooManyStartPhotos
        file = files.store_image(
            data=data,
            purpose=START_PHOTO,
            owner=by,
            organisation_id=claim.organisation_id,
            at=at,
            delete_after=at + datetime.timedelta(days=days),
        )
        return StartPhoto.objects.create(
            **{_name(claim): claim},
            user_id=claim.user_id,
            organisation_id=claim.organisation_id,
            vehicle_id=claim.vehicle_id,
            file=file,
            note=note,
            taken_at=at,
        )


def takes_start_photos(*, claim: Reservation | Booking, at: datetime.datetime) -> bool:
    """Whether photos of the vehicle as it was found are still taken at `at`; at most one query."""
    if isinstance(claim, Booking):
        if claim.state in WAITING_BOOKINGS:
            opens = spans.opens_at(claim.starts_at, policy=policy_of(claim.organisation_id))
            return opens <= at < claim.ends_at
        return _has_just_begun(Trip.objects.filter(reservation__booking=claim), at=at)
    if claim.state == ReservationState.HELD:
        return at < claim.expires_at
    return _has_just_begun(Trip.objects.filter(reservation=claim), at=at)


def _has_just_begun(trips: Any, *, at: datetime.datetime) -> bool:
    """Its ride is being unlocked, or was a few minutes ago."""
    trip = trips.order_by("-pk").only("state", "started_at").first()
    if trip is None:
        return False
    begun = trip.state in RIDING and trip.started_at is not None
    return trip.state == TripState.STARTING or (begun and at - trip.started_at <= JUST_BEGUN)


def _name(claim: Reservation | Booking) -> str:
    return "booking" if isinstance(claim, Booking) else "reservation"
