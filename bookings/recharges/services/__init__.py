"""Writes of recharges, one file per phase."""

from bookings.payments.services import PaymentActionRequired
from bookings.recharges.queries import NoChargingPrice
from bookings.recharges.services.cards import (
    CardInDebt,
    TooManyCards,
    add_card,
    block_card,
    note_debt,
    note_debt_paid,
    remove_card,
    unblock_card,
)
from bookings.recharges.services.codes import issue_missing_codes, replace_code
from bookings.recharges.services.costs import bear_cost, correct_cost
from bookings.recharges.services.guests import (
    GuestOrder,
    StartUnderway,
    card_page,
    forget_guests,
    pay_guest_debt,
    start_guest_recharge,
    welcome_guest,
)
from bookings.recharges.services.keep import (
    AlreadyKeeping,
    KeepTooLong,
    KeptTooRecently,
    keep_connector,
    note_reservation_ended,
    note_reserve_answer,
    release_kept,
)
from bookings.recharges.services.receipts import send_guest_receipts
from bookings.recharges.services.sessions import (
    adopt_session,
    note_connector_failed,
    note_session_started,
)
from bookings.recharges.services.settle import (
    note_payment_captured,
    note_payment_failed,
    note_payment_written_off,
    price_recharge,
    refund_corrected,
)
from bookings.recharges.services.start import (
    ChargerOffline,
    ConnectorBusy,
    LimitOutOfRange,
    RechargeUnderway,
    continue_start,
    note_start_answer,
    refuse_unusable,
    start_recharge,
)
from bookings.recharges.services.stop import RechargeNotStoppable, note_stop_answer, stop_recharge
from bookings.recharges.services.sweep import sweep_recharges

__all__ = [
    "AlreadyKeeping",
    "CardInDebt",
    "ChargerOffline",
    "ConnectorBusy",
    "GuestOrder",
    "KeepTooLong",
    "KeptTooRecently",
    "LimitOutOfRange",
    "NoChargingPrice",
    "PaymentActionRequired",
    "RechargeNotStoppable",
    "RechargeUnderway",
    "StartUnderway",
    "TooManyCards",
    "add_card",
    "adopt_session",
    "bear_cost",
    "block_card",
    "card_page",
    "continue_start",
    "correct_cost",
    "forget_guests",
    "issue_missing_codes",
    "keep_connector",
    "note_connector_failed",
    "note_debt",
    "note_debt_paid",
    "note_payment_captured",
    "note_payment_failed",
    "note_payment_written_off",
    "note_reservation_ended",
    "note_reserve_answer",
    "note_session_started",
    "note_start_answer",
    "note_stop_answer",
    "pay_guest_debt",
    "price_recharge",
    "refund_corrected",
    "refuse_unusable",
    "release_kept",
    "remove_card",
    "replace_code",
    "send_guest_receipts",
    "start_guest_recharge",
    "start_recharge",
    "stop_recharge",
    "sweep_recharges",
    "unblock_card",
    "welcome_guest",
]
