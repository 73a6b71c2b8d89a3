"""Stopping the meter, and letting the trip be over when the lock has answered or will not."""

import dataclasses
import datetime
from collections.abc import Sequence

from bookings.reservations.services import complete_reservation
from bookings.trips import rules
from bookings.trips.events import TripEnded
from bookings.trips.models import Trip
from bookings.trips.services.orders import KEEPER, order, trip_ref
from bookings.trips.services.settle import price_at_once
from bookings.trips.states import EndReason, Step, TripFlag, TripState, Waiver
from fleet.maintenance.services import report_fault
from fleet.maintenance.states import FaultCategory, FaultSource
from fleet.vehicles.services import block_vehicle, mark_trip
from fleet.vehicles.states import BlockReason, TripMark
from mobility.core.principals import Principal
from mobility.core.transitions import move


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a trip ends: why, with the meter where, and what of the price is not asked for.

    `zones` are those the price names, `photo_due_at` is until when a photo is expected.
    """

    reason: EndReason
    meter_at: datetime.datetime
    flags: Sequence[str] = ()
    waiver: Waiver = Waiver.NOTHING
    incident_id: int | None = None
    photo_due_at: datetime.datetime | None = None
    zones: Sequence[dict[str, str]] = ()
    note: str = ""


def begin_ending(trip: Trip, how: Ending, *, at: datetime.datetime, by: Principal) -> None:
    """The meter stands at `how.meter_at`, whatever the lock does later; the vehicle is told to lock.

    Runs in the caller's transaction. Raises `LostRace` if the trip has moved since it was loaded.
    """
    number = trip.commands + 1
    move(
        trip,
        to=TripState.ENDING,
        at=at,
        by=by,
        reason=how.note or how.reason,
        end_reason=how.reason,
        end_requested_at=max(how.meter_at, trip.started_at or how.meter_at),
        first_attempt_at=trip.first_attempt_at or at,
        end_blocked_at=None,
        waiting_since=at,
        stretches=rules.cut(trip.stretches, at=how.meter_at),
        flags=_with(trip.flags, how.flags),
        waiver=how.waiver,
        incident_id=how.incident_id,
        photo_due_at=how.photo_due_at,
        zones=[*trip.zones, *how.zones],
        commands=number,
    )
    _mark(trip, TripMark.ENDING, at=at, by=by)
    order(trip, Step.END, number=number, ttl_s=rules.LOCK_TTL_S, at=at, by=by)


def finish_ending(*, trip: Trip, locked: bool, at: datetime.datetime) -> None:
    """The trip (loaded with its story) is over at the moment where its meter stood, and is priced.

    Without the lock's word the rider is let go all the same: nobody pays for a broken lock. Staff
    get a fault report and the vehicle is blocked, unless an outage explains the silence.
    """
    flags = trip.flags if locked else _with(trip.flags, [TripFlag.LOCK_UNCONFIRMED])
    ended_at = trip.end_requested_at or at
    move(
        trip,
        to=TripState.ENDED,
        at=at,
        by=KEEPER,
        ended_at=ended_at,
        waiting_since=at,
        flags=flags,
        tells=[
            TripEnded(
                trip_id=str(trip.public_id),
                vehicle_id=trip.vehicle_id,
                user_principal=trip.user.principal,
                started_at=trip.started_at or ended_at,
                ended_at=ended_at,
                reason=trip.end_reason,
            )
        ],
    )
    if not locked and TripFlag.OUTAGE not in flags:
        _call_staff(trip, at=at)
    _mark(trip, TripMark.ENDED, at=at, by=KEEPER)
    complete_reservation(
        reservation=trip.reservation, at=at, by=KEEPER, returned_at=trip.end_requested_at
    )
    price_at_once(trip=trip, at=at)


def retry_lock(*, trip: Trip, at: datetime.datetime) -> None:
    """Ask the lock a second and last time."""
    trip.commands += 1
    Trip.objects.filter(pk=trip.pk).update(commands=trip.commands)
    order(trip, Step.END_AGAIN, number=trip.commands, ttl_s=rules.LOCK_TTL_S, at=at, by=KEEPER)


def _call_staff(trip: Trip, *, at: datetime.datetime) -> None:
    report_fault(
        vehicle_id=trip.vehicle_id,
        source=FaultSource.SYSTEM,
        category=FaultCategory.LOCK,
        trip_ref=trip_ref(trip),
        evidence={"reason": "lock_unconfirmed"},
        at=at,
        by=KEEPER,
    )
    block_vehicle(vehicle_id=trip.vehicle_id, reason=BlockReason.MAINTENANCE, at=at, by=KEEPER)


def _with(flags: Sequence[str], more: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*flags, *more]))


def _mark(trip: Trip, mark: TripMark, *, at: datetime.datetime, by: Principal) -> None:
    mark_trip(hold_id=trip.reservation.hold_id, mark=mark, trip_ref=trip_ref(trip), at=at, by=by)
