"""Writes of trips, one file per phase of a trip's life."""

from bookings.trips.services.before import (
    START_PHOTO,
    StartPhotoNotWanted,
    TooManyStartPhotos,
    add_start_photo,
    takes_start_photos,
)
from bookings.trips.services.broken import BrokenTooLate, cancel_broken
from bookings.trips.services.corrections import (
    NothingToCorrect,
    apply_correction,
    note_new_distance,
    propose_correction,
    reject_correction,
)
from bookings.trips.services.cover import cover_rides
from bookings.trips.services.disputes import (
    DISPUTE_PHOTO,
    AlreadyDisputed,
    DisputeNotFound,
    DisputeTooLate,
    accept_dispute,
    disown_trip,
    note_refund_rejected,
    open_dispute,
    reject_dispute,
    remind_overdue,
)
from bookings.trips.services.end import (
    EndBlocked,
    TripNotFound,
    TripNotStarted,
    end_trip,
    force_end,
)
from bookings.trips.services.incidents import (
    IncidentOpenAlready,
    close_incident,
    heal_incident,
    open_incident,
    watch_fleets,
)
from bookings.trips.services.outcomes import apply_command_result
from bookings.trips.services.pause import TripNotPausable, pause_trip, resume_trip
from bookings.trips.services.photos import (
    END_PHOTO,
    OwnPhoto,
    PhotoNotWanted,
    TooManyPhotos,
    add_photo,
    appeal_photo,
    decide_appeal,
    review_photo,
)
from bookings.trips.services.settle import (
    note_payment_captured,
    note_payment_failed,
    note_payment_written_off,
    price_ended_trip,
)
from bookings.trips.services.start import (
    NoPaymentToConfirm,
    StartGivenUp,
    TripUnderway,
    confirm_payment,
    start_trip,
)
from bookings.trips.services.stop import finish_ending
from bookings.trips.services.sweep import sweep_trips

__all__ = [
    "DISPUTE_PHOTO",
    "END_PHOTO",
    "START_PHOTO",
    "AlreadyDisputed",
    "BrokenTooLate",
    "DisputeNotFound",
    "DisputeTooLate",
    "EndBlocked",
    "IncidentOpenAlready",
    "NoPaymentToConfirm",
    "NothingToCorrect",
    "OwnPhoto",
    "PhotoNotWanted",
    "StartGivenUp",
    "StartPhotoNotWanted",
    "TooManyPhotos",
    "TooManyStartPhotos",
    "TripNotFound",
    "TripNotPausable",
    "TripNotStarted",
    "TripUnderway",
    "accept_dispute",
    "add_photo",
    "add_start_photo",
    "appeal_photo",
    "apply_command_result",
    "apply_correction",
    "cancel_broken",
    "close_incident",
    "confirm_payment",
    "cover_rides",
    "decide_appeal",
    "disown_trip",
    "end_trip",
    "finish_ending",
    "force_end",
    "heal_incident",
    "note_new_distance",
    "note_payment_captured",
    "note_payment_failed",
    "note_payment_written_off",
    "note_refund_rejected",
    "open_dispute",
    "open_incident",
    "pause_trip",
    "price_ended_trip",
    "propose_correction",
    "reject_correction",
    "reject_dispute",
    "remind_overdue",
    "resume_trip",
    "review_photo",
    "start_trip",
    "sweep_trips",
    "takes_start_photos",
    "watch_fleets",
]
