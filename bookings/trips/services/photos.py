"""Photos of parked vehicles: sent, judged by staff, objected to.

The ladder: a first bad photo is told, after a second one every end asks for a photo first, the
third within 90 days is a fee – proposed only, announced and open to objection like every fee.

DomainError
└── Conflict  PhotoNotWanted, TooManyPhotos
"""

import datetime
import uuid
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Fee
from bookings.payments.services import propose_fee, waive_fee
from bookings.trips.events import PhotoReviewed
from bookings.trips.models import EndPhoto, Trip
from bookings.trips.queries import STRIKES_FOR, policy_of
from bookings.trips.states import (
    OVER,
    RIDING,
    EndReason,
    PhotoState,
    TripState,
)
from mobility.accounts.states import Role
from mobility.core import files, locks, outbox
from mobility.core.errors import Conflict, Forbidden
from mobility.core.files import StoredFile
from mobility.core.principals import Principal
from mobility.core.transitions import IllegalMove, move

END_PHOTO = "end_photo"
BAD_PARKING = "bad_parking"
PHOTOS_PER_TRIP = 3
# Who was asked in an outage sends it when the network is back.
WANTED_FOR = datetime.timedelta(hours=24)


def may_judge(user: Any, file: StoredFile) -> bool:
    """Whether a person sees the pictures of riders: who runs the vehicles they show."""
    return user.is_superuser or file.organisation_id in user.organisations_as(Role.FLEET_OPERATOR)


files.register(END_PHOTO, may_read=may_judge, keep=datetime.timedelta(days=90))


class PhotoNotWanted(Conflict):
    """The trip does not run, or is long over."""

    code = "photo_not_wanted"
    message = _("A photo of this trip is not needed (any more).")


class TooManyPhotos(Conflict):
    """Three are enough."""

    code = "too_many_photos"
    message = _("There are enough photos of this trip.")


class OwnPhoto(Forbidden):
    """Nobody judges a photo of their own."""

    code = "own_photo"
    message = _("Somebody else has to look at your own photo.")


def add_photo(*, trip: Trip, data: bytes, at: datetime.datetime, by: Principal) -> EndPhoto:
    """Keep a photo of the vehicle as the rider leaves it, without anything but its pixels.

    While the ride goes on or up to a day after its end, three at most. It is deleted after the days
    of the policy. Raises `PhotoNotWanted`, `TooManyPhotos`, `FileTooLarge`, `FileNotAnImage`.
    """
    _refuse_unwanted(trip, at=at)
    policy = policy_of(trip=trip)
    with transaction.atomic():
        locks.advisory(f"end_photo:{trip.pk}")
        if EndPhoto.objects.filter(trip=trip).count() >= PHOTOS_PER_TRIP:
            raise TooManyPhotos
        file = files.store_image(
            data=data,
            purpose=END_PHOTO,
            owner=by,
            organisation_id=trip.organisation_id,
            at=at,
            delete_after=at + datetime.timedelta(days=policy.photo_keep_days),
        )
        photo = EndPhoto.objects.create(
            trip=trip,
            user_id=trip.user_id,
            organisation_id=trip.organisation_id,
            file=file,
            taken_at=at,
        )
        trip.photo_due_at = None
        Trip.objects.filter(pk=trip.pk).update(photo_due_at=None)
    return photo


def review_photo(
    *, photo: EndPhoto, verdict: str, reason: str, at: datetime.datetime, by: Principal
) -> EndPhoto:
    """Say whether a vehicle is well parked (`good`, `bad`, `unsure`); bad ones climb the ladder.

    Raises `OwnPhoto`, `IllegalMove`, `LostRace`.
    """
    if by == photo.user.principal:
        raise OwnPhoto
    with transaction.atomic():
        # One person's photos one after the other: two judged at once would be the same strike.
        locks.advisory(f"photo_strikes:{photo.user_id}")
        strike = _strikes(photo) + 1 if verdict == PhotoState.BAD else 0
        move(
            photo,
            to=PhotoState(verdict),
            at=at,
            by=by,
            reviewed_at=at,
            reviewed_by=by,
            strike=strike or None,
        )
        _say(photo, reason)
        fee = _sanction(photo, strike, at=at, by=by) if strike else None
        _tell(photo, strike=strike, fee=fee is not None, at=at)
    return photo


def appeal_photo(*, photo: EndPhoto, text: str, at: datetime.datetime, by: Principal) -> EndPhoto:
    """The rider objects to the verdict; another look decides. Raises `IllegalMove`, `LostRace`."""
    with transaction.atomic():
        move(photo, to=PhotoState.APPEALED, at=at, by=by, appeal=text, appealed_at=at)
    return photo


def decide_appeal(
    *, photo: EndPhoto, upheld: bool, reason: str, at: datetime.datetime, by: Principal
) -> EndPhoto:
    """After another look the verdict stays (`upheld`), or it falls and its fee with it.

    Raises `OwnPhoto`, `IllegalMove`, `LostRace`.
    """
    if by == photo.user.principal:
        raise OwnPhoto
    to = PhotoState.UPHELD if upheld else PhotoState.GOOD
    with transaction.atomic():
        if photo.state != PhotoState.APPEALED:
            raise IllegalMove
        move(photo, to=to, at=at, by=by, reviewed_at=at, reviewed_by=by)
        _say(photo, reason)
        if not upheld:
            _drop_fee(photo, reason=reason, at=at, by=by)
        _tell(photo, strike=(photo.strike or 0) if upheld else 0, fee=False, at=at)
    return photo


def _say(photo: EndPhoto, reason: str) -> None:
    """Apart from the move, whose own reason is for the audit trail."""
    photo.reason = reason
    EndPhoto.objects.filter(pk=photo.pk).update(reason=reason)


def _refuse_unwanted(trip: Trip, *, at: datetime.datetime) -> None:
    if trip.state in RIDING or trip.state == TripState.ENDING:
        return
    over = trip.state in OVER and trip.end_reason != EndReason.NOT_MINE
    if not over or trip.ended_at is None or at - trip.ended_at > WANTED_FOR:
        raise PhotoNotWanted


def _strikes(photo: EndPhoto) -> int:
    since = photo.taken_at - STRIKES_FOR
    others = EndPhoto.objects.strikes(since=since).filter(user=photo.user_id).exclude(pk=photo.pk)
    # Several photos of one parking are one parking.
    return others.exclude(trip=photo.trip_id).values("trip").distinct().count()


def _sanction(photo: EndPhoto, strike: int, *, at: datetime.datetime, by: Principal) -> Fee | None:
    """From the strike of the policy on, propose the fee of the catalogue; none if there is none."""
    policy = policy_of(trip=photo.trip)
    if not policy.strikes or strike < policy.strikes:
        return None
    fee = propose_fee(
        organisation_id=photo.organisation_id,
        user_id=photo.user_id,
        kind=BAD_PARKING,
        about=photo.trip.public_id,
        reason=photo.reason or BAD_PARKING,
        evidence=[photo.file.public_id],
        at=at,
        by=by,
    )
    if fee is None:
        return None
    photo.fee_ref = str(fee.public_id)
    EndPhoto.objects.filter(pk=photo.pk).update(fee_ref=photo.fee_ref)
    return fee


def _drop_fee(photo: EndPhoto, *, reason: str, at: datetime.datetime, by: Principal) -> None:
    if photo.fee_ref:
        waive_fee(fee_id=uuid.UUID(photo.fee_ref), decision=reason or "appeal", at=at, by=by)


def _tell(photo: EndPhoto, *, strike: int, fee: bool, at: datetime.datetime) -> None:
    outbox.publish(
        PhotoReviewed(
            photo_id=str(photo.public_id),
            trip_id=str(photo.trip.public_id),
            user_principal=photo.user.principal,
            organisation_id=photo.organisation_id,
            verdict=photo.state,
            strike=strike,
            fee_proposed=fee,
            at=at,
        ),
        at=at,
    )
