"""What recharges do when chargers and payments report."""

import datetime
import uuid

from bookings.payments.events import PaymentCaptured, PaymentFailed, PaymentWrittenOff
from bookings.payments.states import Purpose
from bookings.recharges import services
from charging.sessions.events import SessionPriced, SessionStarted
from charging.stations.events import StationCommandFinished
from charging.stations.states import CommandAction
from mobility.core import outbox
from mobility.core.money import PriceLine

AboutMoney = PaymentCaptured | PaymentFailed | PaymentWrittenOff


def _of_a_recharge(event: AboutMoney) -> bool:
    return event.purpose == Purpose.RECHARGE


@outbox.handles(StationCommandFinished)
def on_station_command_finished(event: StationCommandFinished, *, at: datetime.datetime) -> None:
    """A charger agreed, refused or was silent."""
    if event.action == CommandAction.REMOTE_START:
        services.note_start_answer(ref=event.purpose_ref, state=event.state, at=at)
    elif event.action == CommandAction.REMOTE_STOP:
        services.note_stop_answer(ref=event.purpose_ref, state=event.state, at=at)


@outbox.handles(SessionStarted)
def on_session_started(event: SessionStarted, *, at: datetime.datetime) -> None:
    """Current flows."""
    services.note_session_started(
        ref=event.purpose_ref,
        session_id=uuid.UUID(event.session_id),
        started_at=event.started_at,
        at=at,
    )


@outbox.handles(SessionPriced)
def on_session_priced(event: SessionPriced, *, at: datetime.datetime) -> None:
    """A session has its final price."""
    services.price_recharge(
        ref=event.purpose_ref,
        session_id=uuid.UUID(event.session_id),
        lines=[PriceLine.from_json(line) for line in event.lines],
        at=at,
    )


@outbox.handles(PaymentCaptured, when=_of_a_recharge)
def on_payment_captured(event: PaymentCaptured, *, at: datetime.datetime) -> None:
    """The money for a charge came."""
    services.note_payment_captured(recharge_id=uuid.UUID(event.purpose_ref), at=at)


@outbox.handles(PaymentFailed, when=_of_a_recharge)
def on_payment_failed(event: PaymentFailed, *, at: datetime.datetime) -> None:
    """The money for a charge did not come."""
    services.note_payment_failed(recharge_id=uuid.UUID(event.purpose_ref), at=at)


@outbox.handles(PaymentWrittenOff, when=_of_a_recharge)
def on_payment_written_off(event: PaymentWrittenOff, *, at: datetime.datetime) -> None:
    """Nobody waits for the money for a charge any more."""
    services.note_payment_written_off(recharge_id=uuid.UUID(event.purpose_ref), at=at)
