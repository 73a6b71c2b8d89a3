"""Who takes a car that is charging has its doors first and then its cable."""

import datetime

from bookings.trips.models import Trip
from bookings.trips.services.orders import KEEPER, trip_ref
from charging.sessions.models import ChargingSession
from charging.sessions.services import remote_stop
from fleet.vehicles.states import Kind
from mobility.core import sweeps

# Longer than this nobody waits beside a car for its cable.
FREED_WITHIN = datetime.timedelta(minutes=10)


def free_cables(*, at: datetime.datetime) -> int:
    """Stop the charges of cars whose rides have just begun, so that their chargers let the cables go.

    Only once the car has said that it is unlocked: a cable that is pulled out of a locked car is an
    alarm. Each charge is asked for once; returns how many. Two queries, one where no car has started.
    """
    begun = Trip.objects.riding().filter(
        started_at__gt=at - FREED_WITHIN, vehicle__type__kind=Kind.CAR
    )
    trips = {f"vehicle:{trip.vehicle.public_id}": trip for trip in begun.select_related("vehicle")}
    if not trips:
        return 0

    def plugged_before(session: ChargingSession) -> bool:
        began = trips[session.owner_ref].started_at
        return began is not None and session.started_at is not None and session.started_at < began

    charging = ChargingSession.objects.open().filter(owner_ref__in=trips).order_by("pk")
    stopped = sweeps.each_alone(
        filter(plugged_before, charging),
        lambda session: _let_go(session, trips[session.owner_ref], at=at),
        event="bookings.cable_not_freed",
        named=lambda session: session.public_id,
    )
    return sum(stopped)


def _let_go(session: ChargingSession, trip: Trip, *, at: datetime.datetime) -> bool:
    """Whether it was asked for now: the same key asks the charger once."""
    command = remote_stop(
        session_id=session.pk,
        idempotency_key=f"trip:{trip_ref(trip)}:cable:{session.pk}",
        at=at,
        by=KEEPER,
    )
    return command.queued_at == at
