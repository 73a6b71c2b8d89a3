"""Trip marks: what the owner of a hold tells about its trip moves the vehicle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from fleet.vehicles import history, mds
from fleet.vehicles.services import holds
from fleet.vehicles.states import TRIP_MARKS, RentalState, TripMark

if TYPE_CHECKING:
    import datetime

    from fleet.vehicles.models import VehicleHold
    from mobility.core.principals import Principal

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
        elif subject.vehicle.rental_state != to:
            history.move_rental(subject, to=to, at=at, by=by, trip_ref=trip_ref)
    return hold
