"""Trip marks: what the owner of a hold tells about its trip moves the vehicle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from fleet.vehicles import history, mds
from fleet.vehicles.events import TripEnded
from fleet.vehicles.services import holds
from fleet.vehicles.states import TRIP_MARKS, RentalState, TripMark
from mobility.core import outbox
from mobility.core.transitions import move

if TYPE_CHECKING:
    import datetime

    from fleet.vehicles.models import VehicleHold
    from mobility.core.principals import Principal

# The ride began with the first row of the history in which it runs.
_STARTED = """
SELECT min(at) FROM fleet_vehicleevent
WHERE vehicle_id = %s AND at >= %s AND trip_ref = %s AND rental_state = 'on_trip'
"""
_REASONS: dict[str, str] = {TripMark.START_FAILED: mds.EXPIRED}


def mark_trip(
    *,
    hold_id: int,
    mark: str,
    trip_ref: str,
    at: datetime.datetime,
    by: Principal,
    until: datetime.datetime | None = None,
) -> VehicleHold:
    """Move the held vehicle as its trip goes on, and write the history.

    `until` lets the hold reach as far, but not into a hold for later. `ended` publishes `TripEnded` if the trip ever ran; it and `start_failed` release the hold. A mark
    that is already true changes nothing. Raises `HoldNotFound`, `HoldOver`, `LostRace`,
    `IllegalMove`; a surrounding transaction must then roll back.
    """
    to = TRIP_MARKS[mark]
    reason = _REASONS.get(mark, "")
    with transaction.atomic(savepoint=False):
        hold, subject = holds.lock_hold(hold_id)
        if until is not None:
            holds.reach_hold(hold, until=until)
        if to == RentalState.FREE:
            holds.free_vehicle(hold, subject, at=at, by=by, trip_ref=trip_ref, reason=reason)
            _tell_end(hold, trip_ref=trip_ref, at=at)
        elif subject.vehicle.rental_state != to:
            move(subject.vehicle, field="rental_state", to=to, at=at, by=by)
            history.record_changes([subject], at=at, by=by, trip_ref=trip_ref)
    return hold


def _tell_end(hold: VehicleHold, *, trip_ref: str, at: datetime.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STARTED, [hold.vehicle_id, hold.during.lower, trip_ref])
        (started_at,) = cursor.fetchone() or (None,)
    if started_at is None:
        return
    ended = TripEnded(
        vehicle_id=hold.vehicle_id, trip_ref=trip_ref, started_at=started_at, ended_at=at
    )
    outbox.publish(ended, at=at)
