"""Writes of recharges, one file per phase."""

from bookings.recharges.services.settle import (
    note_payment_captured,
    note_payment_failed,
    note_payment_written_off,
    price_recharge,
)
from bookings.recharges.services.start import (
    ChargerOffline,
    ConnectorBusy,
    NoChargingPrice,
    RechargeUnderway,
    note_session_started,
    note_start_answer,
    start_recharge,
)
from bookings.recharges.services.stop import RechargeNotStoppable, note_stop_answer, stop_recharge
from bookings.recharges.services.sweep import sweep_recharges

__all__ = [
    "ChargerOffline",
    "ConnectorBusy",
    "NoChargingPrice",
    "RechargeNotStoppable",
    "RechargeUnderway",
    "note_payment_captured",
    "note_payment_failed",
    "note_payment_written_off",
    "note_session_started",
    "note_start_answer",
    "note_stop_answer",
    "price_recharge",
    "start_recharge",
    "stop_recharge",
    "sweep_recharges",
]
