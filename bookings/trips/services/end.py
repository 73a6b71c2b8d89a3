"""Ending a trip: all that is in the way in one answer, and a meter that stands from the first
valid attempt on, whatever the lock does afterwards.
"""

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.reservations.services import complete_reservation
from bookings.trips import rules
from bookings.trips.events import TripEnded
from bookings.trips.models import Trip
from bookings.trips.queries import EndCondition, PlaceJudged, judge_place
from bookings.trips.rules import Fix, Source
from bookings.trips.services.orders import KEEPER, order, trip_ref
from bookings.trips.services.start import fail_start
from bookings.trips.states import OVER, RIDING, Step, TripFlag, TripState
from fleet.vehicles.services import block_vehicle, mark_trip
from fleet.vehicles.states import BlockReason, TripMark
from mobility.core import outbox
from mobility.core.errors import Conflict, NotFound
from mobility.core.principals import Principal
from mobility.core.transitions import move


class EndBlocked(Conflict):
    """The trip cannot end here; `extra["conditions"]` lists everything that is in the way."""

    code = "end_blocked"
    message = _("Your trip cannot end here yet. See what is missing; it goes on until then.")


class TripNotFound(NotFound):
    """No such trip of this person."""

    code = "trip_not_found"
    message = _("We could not find this trip.")


class TripNotStarted(Conflict):
    """There is nothing to end."""

    code = "trip_not_started"
    message = _("This trip did not start; nothing is charged.")


def end_trip(
    *, trip: Trip, phone: Fix | None, at: datetime.datetime, by: Principal
) -> tuple[EndCondition, ...]:
    """End a trip, or say everything that is in the way; an empty answer means it is ending.

    1. A trip that ends or has ended is left as it is. One whose vehicle has not unlocked yet is
       called off, free of charge.
    2. Judge the place: the vehicle's fresh word, else the phone's; if nobody knows where the
       vehicle is, that is our failure and the trip may end.
    3. With conditions unmet the refusal is kept on the trip and the trip goes on.
    4. Else the meter stands at `at`, and the vehicle is told to lock.

    Raises `TripNotStarted`, `LostRace`.
    """
    if trip.state == TripState.ENDING or trip.state in OVER:
        return ()
    if trip.state == TripState.START_FAILED:
        raise TripNotStarted
    with transaction.atomic():
        if trip.state == TripState.STARTING:
            fail_start(trip=trip, failure="called_off", at=at, by=by)
            return ()
        judged = judge_place(trip=trip, phone=phone, at=at)
        if judged.conditions:
            _keep_refusal(trip, judged.conditions)
            return judged.conditions
        _begin_ending(trip, flags=_flags(judged), at=at, by=by)
    return ()


def force_end(*, trip: Trip, reason: str, at: datetime.datetime, by: Principal) -> Trip:
    """Staff end a trip wherever it is: the meter stands now, the lock is tried all the same.

    Raises `TripNotStarted` unless the trip is under way; ending twice is ending once.
    """
    if trip.state == TripState.ENDING or trip.state in OVER:
        return trip
    if trip.state not in RIDING:
        raise TripNotStarted
    with transaction.atomic():
        _begin_ending(trip, flags=[TripFlag.ENDED_BY_STAFF], at=at, by=by, reason=reason)
    return trip


def finish_ending(*, trip: Trip, locked: bool, at: datetime.datetime) -> None:
    """The trip is over at the moment where its meter stood.

    Without the lock's word the rider is let go all the same, and the vehicle is blocked for staff
    to look at: nobody pays for a broken lock.
    """
    flags = trip.flags if locked else [*trip.flags, TripFlag.LOCK_UNCONFIRMED]
    ended_at = trip.end_requested_at or at
    move(
        trip,
        to=TripState.ENDED,
        at=at,
        by=KEEPER,
        ended_at=ended_at,
        waiting_since=at,
        flags=flags,
    )
    if not locked:
        block_vehicle(vehicle_id=trip.vehicle_id, reason=BlockReason.MAINTENANCE, at=at, by=KEEPER)
    _mark(trip, TripMark.ENDED, at=at, by=KEEPER)
    complete_reservation(reservation=trip.reservation, at=at, by=KEEPER)
    outbox.publish(
        TripEnded(
            trip_id=str(trip.public_id),
            vehicle_id=trip.vehicle_id,
            user_principal=trip.user.principal,
            started_at=trip.started_at or ended_at,
            ended_at=ended_at,
        ),
        at=at,
    )


def retry_lock(*, trip: Trip, at: datetime.datetime) -> None:
    """Ask the lock a second and last time."""
    trip.commands += 1
    Trip.objects.filter(pk=trip.pk).update(commands=trip.commands)
    order(trip, Step.END_AGAIN, number=trip.commands, ttl_s=rules.LOCK_TTL_S, at=at, by=KEEPER)


def _begin_ending(
    trip: Trip, *, flags: list[str], at: datetime.datetime, by: Principal, reason: str = ""
) -> None:
    number = trip.commands + 1
    move(
        trip,
        to=TripState.ENDING,
        at=at,
        by=by,
        reason=reason,
        end_requested_at=at,
        waiting_since=at,
        stretches=rules.close(trip.stretches, at=at),
        flags=[*trip.flags, *flags],
        commands=number,
    )
    _mark(trip, TripMark.ENDING, at=at, by=by)
    order(trip, Step.END, number=number, ttl_s=rules.LOCK_TTL_S, at=at, by=by)


def _keep_refusal(trip: Trip, conditions: tuple[EndCondition, ...]) -> None:
    """For support: what the rider was told, and how often."""
    trip.end_refusals += 1
    trip.last_refusal = [condition.code for condition in conditions]
    Trip.objects.filter(pk=trip.pk).update(
        end_refusals=trip.end_refusals, last_refusal=trip.last_refusal
    )


def _flags(judged: PlaceJudged) -> list[str]:
    flags: dict[Source, list[Any]] = {
        Source.VEHICLE: [],
        Source.PHONE: [TripFlag.POSITION_FROM_PHONE],
        Source.NOBODY: [TripFlag.POSITION_UNVERIFIED],
    }
    return flags[judged.source]


def _mark(trip: Trip, mark: TripMark, *, at: datetime.datetime, by: Principal) -> None:
    mark_trip(hold_id=trip.reservation.hold_id, mark=mark, trip_ref=trip_ref(trip), at=at, by=by)
