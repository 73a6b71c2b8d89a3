"""What trips do when others report a fact."""

import datetime
import uuid

from bookings.payments.events import (
    PaymentCaptured,
    PaymentFailed,
    PaymentWrittenOff,
    RefundRejected,
)
from bookings.payments.states import Purpose
from bookings.trips import services
from bookings.trips.events import TripUnpriced
from fleet.telematics.events import TrackCorrected
from fleet.vehicles.events import CommandFinished
from mobility.core import outbox

AboutMoney = PaymentCaptured | PaymentFailed | PaymentWrittenOff | RefundRejected


def _of_a_trip(event: AboutMoney) -> bool:
    return event.purpose == Purpose.TRIP


@outbox.handles(CommandFinished)
def on_command_finished(event: CommandFinished, *, at: datetime.datetime) -> None:
    """A vehicle answered, or did not."""
    services.apply_command_result(
        purpose_ref=event.purpose_ref, result=event.result, late=event.late, at=at
    )


@outbox.handles(TripUnpriced)
def on_trip_unpriced(event: TripUnpriced, *, at: datetime.datetime) -> None:
    """A trip waits for its price."""
    services.price_ended_trip(trip_id=uuid.UUID(event.trip_id), at=at)


@outbox.handles(PaymentCaptured, when=_of_a_trip)
def on_payment_captured(event: PaymentCaptured, *, at: datetime.datetime) -> None:
    """The money for a trip came."""
    services.note_payment_captured(trip_id=uuid.UUID(event.purpose_ref), at=at)


@outbox.handles(PaymentFailed, when=_of_a_trip)
def on_payment_failed(event: PaymentFailed, *, at: datetime.datetime) -> None:
    """The money for a trip did not come."""
    services.note_payment_failed(trip_id=uuid.UUID(event.purpose_ref), at=at)


@outbox.handles(PaymentWrittenOff, when=_of_a_trip)
def on_payment_written_off(event: PaymentWrittenOff, *, at: datetime.datetime) -> None:
    """Nobody waits for the money for a trip any more."""
    services.note_payment_written_off(trip_id=uuid.UUID(event.purpose_ref), at=at)


@outbox.handles(RefundRejected, when=_of_a_trip)
def on_refund_rejected(event: RefundRejected, *, at: datetime.datetime) -> None:
    """What was to go back for a trip does not."""
    services.note_refund_rejected(refund_id=uuid.UUID(event.refund_id), at=at)


@outbox.handles(TrackCorrected)
def on_track_corrected(event: TrackCorrected, *, at: datetime.datetime) -> None:
    """Points that came late made another way of a trip; service trips have names of another kind."""
    try:
        trip_id = uuid.UUID(event.trip_ref)
    except ValueError:
        return
    services.note_new_distance(trip_id=trip_id, distance_m=event.distance_m_after, at=at)
