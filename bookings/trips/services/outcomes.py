"""What becomes of a trip when its vehicle answers, or does not."""

import datetime
import uuid

from django.db import transaction
from django.db.models import QuerySet

from bookings.trips.models import Trip
from bookings.trips.services.late import note_late_unlock
from bookings.trips.services.orders import KEEPER, parse_purpose
from bookings.trips.services.pause import flag_pause, resume_late, undo_resume
from bookings.trips.services.start import confirm_start, fail_start
from bookings.trips.services.stop import finish_ending, retry_lock
from bookings.trips.states import Step, TripFlag, TripState
from fleet.vehicles.services import lift_block
from fleet.vehicles.states import BlockReason, CommandState
from mobility.core.prepared import prepared

END_STEPS = (Step.END, Step.END_AGAIN)


def apply_command_result(
    *, purpose_ref: str, result: str, late: bool, at: datetime.datetime
) -> None:
    """Move a trip on by the end of one of its commands.

    Commands of others, and answers to commands that the trip has left behind, change nothing.
    """
    purpose = parse_purpose(purpose_ref)
    if purpose is None:
        return
    trip_id, step, number = purpose
    confirmed = result == CommandState.CONFIRMED
    with transaction.atomic(savepoint=False):
        # The lock keeps a second tap on "end" and this answer from meeting half-way.
        trip = _locked.first(public_id=trip_id)
        if trip is None:
            return
        # An answer given in time may be told after its start was given up: the vehicle is open too.
        given_up = step is Step.START and trip.state == TripState.START_FAILED
        if confirmed and (late or given_up):
            _apply_late(trip, step, newest=number == trip.commands, at=at)
        elif not late and number == trip.commands:
            _apply(trip, step, confirmed=confirmed, result=result, at=at)


@prepared
def _locked(*, public_id: uuid.UUID) -> "QuerySet[Trip]":
    trips = Trip.objects.with_story().select_for_update(of=("self",))
    return trips.filter(public_id=public_id)


def _apply(trip: Trip, step: Step, *, confirmed: bool, result: str, at: datetime.datetime) -> None:
    if step is Step.START and trip.state == TripState.STARTING:
        if confirmed:
            confirm_start(trip=trip, at=at)
        else:
            fail_start(trip=trip, failure=f"unlock_{result}", at=at, by=KEEPER)
    elif step is Step.RESUME and trip.state == TripState.RUNNING and not confirmed:
        undo_resume(trip=trip, at=at)
    elif step is Step.PAUSE and trip.state == TripState.PAUSED and not confirmed:
        flag_pause(trip=trip)
    elif step in END_STEPS and trip.state == TripState.ENDING:
        if step is Step.END and not confirmed:
            retry_lock(trip=trip, at=at)
        else:
            finish_ending(trip=trip, locked=confirmed, at=at)


def _apply_late(trip: Trip, step: Step, *, newest: bool, at: datetime.datetime) -> None:
    """The vehicle did it after we had stopped waiting: it is not broken after all."""
    if step is Step.START and trip.state == TripState.START_FAILED:
        note_late_unlock(trip=trip, at=at)
    if step is Step.RESUME and newest and trip.state == TripState.PAUSED:
        # Else the rider would ride an open vehicle at the price of a pause.
        resume_late(trip=trip, at=at)
    if step not in END_STEPS:
        return
    if trip.state == TripState.ENDING:
        finish_ending(trip=trip, locked=True, at=at)
    elif TripFlag.LOCK_UNCONFIRMED in trip.flags:
        lift_block(vehicle_id=trip.vehicle_id, reason=BlockReason.MAINTENANCE, at=at, by=KEEPER)
