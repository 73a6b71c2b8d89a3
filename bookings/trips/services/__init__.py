"""Writes of trips, one file per phase of a trip's life."""

from bookings.trips.services.end import (
    EndBlocked,
    TripNotFound,
    TripNotStarted,
    end_trip,
    finish_ending,
    force_end,
)
from bookings.trips.services.outcomes import apply_command_result
from bookings.trips.services.pause import TripNotPausable, pause_trip, resume_trip
from bookings.trips.services.settle import (
    note_payment_captured,
    note_payment_failed,
    note_payment_written_off,
    price_ended_trip,
)
from bookings.trips.services.start import TripUnderway, start_trip
from bookings.trips.services.sweep import sweep_trips

__all__ = [
    "EndBlocked",
    "TripNotFound",
    "TripNotPausable",
    "TripNotStarted",
    "TripUnderway",
    "apply_command_result",
    "end_trip",
    "finish_ending",
    "force_end",
    "note_payment_captured",
    "note_payment_failed",
    "note_payment_written_off",
    "pause_trip",
    "price_ended_trip",
    "resume_trip",
    "start_trip",
    "sweep_trips",
]
