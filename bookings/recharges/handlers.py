"""What recharges do when chargers and payments report."""

import datetime
import uuid

from bookings.payments.events import PaymentCaptured, PaymentFailed, PaymentWrittenOff
from bookings.payments.states import Purpose
from bookings.recharges import services
from bookings.recharges.queries import UNUSABLE
from charging.devices.events import ReservationEnded
from charging.sessions.events import SessionCorrected, SessionPriced, SessionStarted
from charging.sessions.facts import AuthorizationStatus
from charging.stations.events import ConnectorStatusChanged, StationCommandFinished
from charging.stations.states import CommandAction
from mobility.core import outbox

AboutMoney = PaymentCaptured | PaymentFailed | PaymentWrittenOff


def _of_a_recharge(event: AboutMoney) -> bool:
    return event.purpose == Purpose.RECHARGE


def _was_owed(event: PaymentCaptured) -> bool:
    return event.recovered


def _broke(event: ConnectorStatusChanged) -> bool:
    return event.status in UNUSABLE


@outbox.handles(StationCommandFinished)
def on_station_command_finished(event: StationCommandFinished, *, at: datetime.datetime) -> None:
    """A charger agreed, refused or was silent."""
    if event.action == CommandAction.REMOTE_START:
        services.note_start_answer(ref=event.purpose_ref, state=event.state, at=at)
    elif event.action == CommandAction.REMOTE_STOP:
        services.note_stop_answer(ref=event.purpose_ref, state=event.state, at=at)
    elif event.action == CommandAction.RESERVE:
        said = str(event.result.get("status", ""))
        services.note_reserve_answer(ref=event.purpose_ref, state=event.state, said=said, at=at)


@outbox.handles(ReservationEnded)
def on_reservation_ended(event: ReservationEnded, *, at: datetime.datetime) -> None:
    """A charger keeps a connector no more."""
    services.note_reservation_ended(
        number=event.reservation_id,
        station_identity=event.station_identity,
        said=event.status,
        at=at,
    )


@outbox.handles(SessionStarted)
def on_session_started(event: SessionStarted, *, at: datetime.datetime) -> None:
    """Current flows: for a recharge, or for somebody's own card."""
    session_id = uuid.UUID(event.session_id)
    if event.purpose_ref:
        services.note_session_started(
            ref=event.purpose_ref, session_id=session_id, started_at=event.started_at, at=at
        )
    elif event.verdict == AuthorizationStatus.ACCEPTED:
        services.adopt_session(owner_ref=event.owner_ref, session_id=session_id, at=at)


@outbox.handles(SessionPriced)
def on_session_priced(event: SessionPriced, *, at: datetime.datetime) -> None:
    """A session has its final price: somebody pays it, or some organisation bears it."""
    session_id = uuid.UUID(event.session_id)
    if not event.purpose_ref:
        services.adopt_session(owner_ref=event.owner_ref, session_id=session_id, at=at)
        services.bear_cost(session_id=session_id, at=at)
    services.price_recharge(ref=event.purpose_ref, session_id=session_id, at=at)


@outbox.handles(SessionCorrected)
def on_session_corrected(event: SessionCorrected, *, at: datetime.datetime) -> None:
    """What a session was billed was wrong; perhaps somebody paid too much."""
    session_id = uuid.UUID(event.session_id)
    services.refund_corrected(session_id=session_id, reason=event.reason, at=at)
    services.correct_cost(session_id=session_id, ref=event.record_id, at=at)


@outbox.handles(ConnectorStatusChanged, when=_broke)
def on_connector_failed(event: ConnectorStatusChanged, *, at: datetime.datetime) -> None:
    """A connector broke; perhaps somebody charges there."""
    services.note_connector_failed(connector_id=uuid.UUID(event.connector_id), at=at)


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


@outbox.handles(PaymentFailed)
def on_debt(event: PaymentFailed, *, at: datetime.datetime) -> None:
    """Somebody owes money, for whatever: their tokens charge no more."""
    services.note_debt(payer=event.payer, at=at)


@outbox.handles(PaymentCaptured, when=_was_owed)
def on_debt_paid(event: PaymentCaptured, *, at: datetime.datetime) -> None:
    """A debt was paid."""
    services.note_debt_paid(payer=event.payer, at=at)


@outbox.handles(PaymentWrittenOff)
def on_debt_given_up(event: PaymentWrittenOff, *, at: datetime.datetime) -> None:
    """A debt is no more."""
    services.note_debt_paid(payer=event.payer, at=at)
