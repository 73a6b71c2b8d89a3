"""What nobody else came to do: trips that wait too long, and holds that must reach further."""

import datetime
from collections.abc import Callable

from bookings.reservations.services import extend_ride_hold
from bookings.trips import rules
from bookings.trips.models import Trip
from bookings.trips.services.cable import free_cables
from bookings.trips.services.care import note_idle, take_care, trips_in_need
from bookings.trips.services.late import open_late, watch_late_unlocks
from bookings.trips.services.orders import KEEPER
from bookings.trips.services.settle import price_ended_trip
from bookings.trips.services.start import fail_start
from bookings.trips.services.stop import finish_ending
from bookings.trips.states import TripState
from mobility.core import sweeps

LIMIT = 200


def sweep_trips(*, at: datetime.datetime) -> dict[str, int]:
    """Heal trips that got stuck; returns how many of each kind.

    1. `starting` for a minute: the vehicle never answered, nothing is charged.
    2. `ending` for a minute and a half: over, at the moment where the meter stood.
    3. `ended` for a minute without a price: priced now.
    4. Riding with less than an hour of hold left: held two hours ahead again.
    5. Standing locked, paused for too long, out of battery: what the policy says (`care`).
    6. Cars taken from their charger: the cable is let go, after the doors.
    7. Failed starts whose vehicle unlocked late and was ridden off: the ride begins after all.
    """
    note_idle(at=at)
    cares = {trip.pk: (trip, care) for trip, care in trips_in_need(at=at)}
    late, _forgotten = watch_late_unlocks(at=at)
    return {
        "starts_failed": _each(
            _stuck(TripState.STARTING, at - rules.START_PATIENCE),
            lambda trip: fail_start(trip=trip, failure="no_answer", at=at, by=KEEPER),
        ),
        "ends_finished": _each(
            _stuck(TripState.ENDING, at - rules.END_PATIENCE),
            lambda trip: finish_ending(trip=trip, locked=False, at=at),
        ),
        "priced": _each(
            _stuck(TripState.ENDED, at - rules.PRICE_PATIENCE),
            lambda trip: price_ended_trip(trip_id=trip.public_id, at=at),
        ),
        "holds_extended": _each(_running_short(at), lambda trip: _extend(trip, at=at)),
        "cared_for": _each(
            [trip for trip, _care in cares.values()],
            lambda trip: take_care(trip, cares[trip.pk][1], at=at),
        ),
        "cables_freed": free_cables(at=at),
        "opened_late": _each(late, lambda trip: open_late(trip=trip, at=at)),
    }


def _stuck(state: TripState, since: datetime.datetime) -> list[Trip]:
    waiting = Trip.objects.waiting(state, since=since).with_story()
    return list(waiting.order_by("waiting_since", "id")[:LIMIT])


def _running_short(at: datetime.datetime) -> list[Trip]:
    soon = at + rules.HORIZON_LOW
    riding = Trip.objects.riding().with_story()
    short = riding.filter(reservation__hold__during__endswith__lt=soon)
    return list(short.order_by("reservation__hold__during__endswith", "id")[:LIMIT])


def _each(trips: list[Trip], heal: Callable[[Trip], object]) -> int:
    """Heal one by one; returns how many."""
    healed = sweeps.each_alone(
        trips, heal, event="bookings.trip_not_healed", named=lambda trip: trip.public_id
    )
    return sum(1 for _answer in healed)


def _extend(trip: Trip, *, at: datetime.datetime) -> None:
    """A booking ahead is moved or displaced early, and its person told, while that still helps."""
    extend_ride_hold(reservation=trip.reservation, until=at + rules.HORIZON, at=at, by=KEEPER)
