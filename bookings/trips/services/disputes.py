"""A rider objects; staff answer in time, with a correction or with reasons.

DomainError
├── NotFound  DisputeNotFound
└── Conflict  DisputeTooLate, AlreadyDisputed
"""

import datetime
import uuid
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import F, Func, Value
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.pricing.rules.trip import FALSE_START_M
from bookings.trips.events import DisputeDecided, DisputeOverdue, TripDisputed
from bookings.trips.models import Trip, TripDispute, TripVersion
from bookings.trips.queries import policy_of
from bookings.trips.services.corrections import (
    REFUND_REJECTED,
    apply_correction,
    propose_correction,
    withdraw_correction,
)
from bookings.trips.services.end import TripNotStarted
from bookings.trips.services.orders import KEEPER
from bookings.trips.services.photos import may_judge
from bookings.trips.services.start import fail_start
from bookings.trips.services.stop import Ending, begin_ending
from bookings.trips.states import (
    RIDING,
    DisputeReason,
    DisputeState,
    EndReason,
    TripFlag,
    TripState,
    Waiver,
)
from fleet.telematics.queries import trip_distance_m
from mobility.core import files, outbox
from mobility.core.errors import Conflict, NotFound
from mobility.core.files import StoredFile
from mobility.core.principals import Principal
from mobility.core.transitions import move

DISPUTE_PHOTO = "dispute_photo"
REMIND_AT_ONCE = 200


# Two years: what a dispute was decided by can be looked at again.
files.register(DISPUTE_PHOTO, may_read=may_judge, keep=datetime.timedelta(days=730))


class DisputeNotFound(NotFound):
    """No such dispute of this person."""

    code = "dispute_not_found"
    message = _("We could not find this dispute.")


class DisputeTooLate(Conflict):
    """The trip is too long ago."""

    code = "dispute_too_late"
    message = _("This trip is more than %(days)d days ago; please write to us instead.")


class AlreadyDisputed(Conflict):
    """One dispute of a trip at a time; `extra` names it."""

    code = "already_disputed"
    message = _("You have already told us about this trip. We are looking at it.")


def open_dispute(
    *,
    trip: Trip,
    reason: str,
    text: str,
    at: datetime.datetime,
    by: Principal,
    photos: Sequence[bytes] = (),
) -> TripDispute:
    """Take in a rider's objection; the answer is a case with its number and its due time.

    Raises `TripNotStarted` (nothing to object to), `DisputeTooLate`, `AlreadyDisputed`,
    `FileTooLarge`, `FileNotAnImage`.
    """
    if trip.state in {TripState.STARTING, TripState.START_FAILED}:
        raise TripNotStarted
    policy = policy_of(trip=trip)
    over = trip.ended_at or at
    if at > over + datetime.timedelta(days=policy.dispute_days):
        raise DisputeTooLate(days=policy.dispute_days)
    due_at = at + datetime.timedelta(hours=policy.dispute_answer_h)
    try:
        with transaction.atomic():
            dispute = TripDispute.objects.create(
                trip=trip, user_id=trip.user_id, reason=reason, text=text, opened_at=at,
                due_at=due_at, photos=_kept(trip, photos, at=at),
            )  # fmt: skip
            _flag(trip, TripFlag.DISPUTED)
            _tell_opened(dispute, trip, at=at)
    except IntegrityError as problem:
        if not isinstance(problem.__cause__, UniqueViolation):
            raise
        known = trip.disputes.get(state=DisputeState.OPEN)
        raise AlreadyDisputed(
            extra={"dispute": str(known.public_id), "case_number": known.case_number}
        ) from problem
    return dispute


def accept_dispute(
    *,
    dispute: TripDispute,
    answer: str,
    at: datetime.datetime,
    by: Principal,
    ended_at: datetime.datetime | None = None,
    waiver: str | None = None,
) -> TripDispute:
    """The rider is right: the trip is corrected, if by anything, and the difference goes back.

    `ended_at` is when the trip should have ended, `waiver` what is not asked for. Raises
    `IllegalMove`, `LostRace`, `NothingToCorrect`, `CorrectionCostsMore`.
    """
    version: TripVersion | None = None
    with transaction.atomic():
        if ended_at is not None or waiver:
            version = propose_correction(
                trip=dispute.trip,
                reason=f"dispute {dispute.case_number}",
                ended_at=ended_at,
                waiver=waiver or None,
                at=at,
                by=by,
            )
            apply_correction(version=version, at=at, by=by)
        _decide(dispute, DisputeState.ACCEPTED, answer=answer, version=version, at=at, by=by)
    return dispute


def reject_dispute(
    *, dispute: TripDispute, answer: str, at: datetime.datetime, by: Principal
) -> TripDispute:
    """The trip stays as it is; the answer says why. Raises `IllegalMove`, `LostRace`."""
    with transaction.atomic():
        _decide(dispute, DisputeState.REJECTED, answer=answer, version=None, at=at, by=by)
    return dispute


def disown_trip(
    *, trip: Trip, text: str, at: datetime.datetime, by: Principal
) -> TripDispute | None:
    """ "This is not my ride": it ends now, and staff look at it; one that went nowhere is free.

    A start that still waits for its vehicle is called off and needs no dispute. Raises `LostRace`.
    """
    with transaction.atomic():
        if trip.state == TripState.STARTING:
            fail_start(trip=trip, failure="not_mine", at=at, by=by)
            return None
        if trip.state in RIDING:
            went = trip_distance_m(vehicle_id=trip.vehicle_id, start=trip.started_at or at, end=at)
            how = Ending(
                reason=EndReason.NOT_MINE,
                meter_at=at,
                flags=[TripFlag.NOT_MINE],
                waiver=Waiver.ALL if went <= FALSE_START_M else Waiver.NOTHING,
            )
            begin_ending(trip, how, at=at, by=by)
        try:
            return open_dispute(
                trip=trip, reason=DisputeReason.NOT_MY_RIDE, text=text, at=at, by=by
            )
        except AlreadyDisputed:
            # Staff look at it already; the ride must end all the same.
            return trip.disputes.filter(state=DisputeState.OPEN).first()


def note_refund_rejected(*, refund_id: uuid.UUID, at: datetime.datetime) -> None:
    """A second person refused what was to go back: the correction is withdrawn, its dispute is open
    again with new time for an answer, unless the rider has opened another one."""
    with transaction.atomic():
        version = withdraw_correction(refund_id=refund_id, at=at)
        dispute = TripDispute.objects.select_related("trip", "user").filter(version=version).first()
        if version is None or dispute is None:
            return
        trip = Trip.objects.with_story().get(pk=dispute.trip_id)
        if trip.disputes.filter(state=DisputeState.OPEN).exists():
            return
        due_at = at + datetime.timedelta(hours=policy_of(trip=trip).dispute_answer_h)
        move(
            dispute, to=DisputeState.OPEN, at=at, by=KEEPER, reason=REFUND_REJECTED, answer="",
            decided_at=None, decided_by="", version=None, due_at=due_at, reminded_at=None,
        )  # fmt: skip
        _tell_opened(dispute, trip, at=at)


def remind_overdue(*, at: datetime.datetime) -> int:
    """Say once of every dispute that its answer is late; returns how many."""
    late = TripDispute.objects.overdue(at).filter(reminded_at__isnull=True)
    with transaction.atomic():
        rows = list(
            late.select_related("trip")
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("due_at", "id")[:REMIND_AT_ONCE]
        )
        TripDispute.objects.filter(pk__in=[row.pk for row in rows]).update(reminded_at=at)
        told = [
            DisputeOverdue(
                trip_id=str(row.trip.public_id),
                dispute_id=str(row.public_id),
                case_number=row.case_number,
                organisation_id=row.trip.organisation_id,
                due_at=row.due_at,
            )
            for row in rows
        ]
        if told:
            outbox.publish(*told, at=at)
    return len(rows)


def _decide(
    dispute: TripDispute,
    to: DisputeState,
    *,
    answer: str,
    version: TripVersion | None,
    at: datetime.datetime,
    by: Principal,
) -> None:
    move(dispute, to=to, at=at, by=by, answer=answer, decided_at=at, decided_by=by, version=version)
    outbox.publish(
        DisputeDecided(
            trip_id=str(dispute.trip.public_id),
            dispute_id=str(dispute.public_id),
            case_number=dispute.case_number,
            user=dispute.user.principal,
            outcome=to.value,
            at=at,
        ),
        at=at,
    )


def _kept(trip: Trip, photos: Sequence[bytes], *, at: datetime.datetime) -> list[str]:
    return [str(_keep(trip, data, at=at).public_id) for data in photos]


def _keep(trip: Trip, data: bytes, *, at: datetime.datetime) -> StoredFile:
    return files.store_image(
        data=data,
        purpose=DISPUTE_PHOTO,
        owner=trip.user.principal,
        organisation_id=trip.organisation_id,
        at=at,
    )


def _flag(trip: Trip, flag: TripFlag) -> None:
    """In the database's own list: the trip may have been moved on since it was loaded."""
    unflagged = Trip.objects.filter(pk=trip.pk).exclude(flags__contains=[flag])
    unflagged.update(flags=Func(F("flags"), Value(flag.value), function="array_append"))
    trip.refresh_from_db(fields=["flags"])


def _tell_opened(dispute: TripDispute, trip: Trip, *, at: datetime.datetime) -> None:
    outbox.publish(
        TripDisputed(
            trip_id=str(trip.public_id),
            dispute_id=str(dispute.public_id),
            case_number=dispute.case_number,
            user=trip.user.principal,
            organisation_id=trip.organisation_id,
            reason=dispute.reason,
            due_at=dispute.due_at,
            at=at,
        ),
        at=at,
    )
