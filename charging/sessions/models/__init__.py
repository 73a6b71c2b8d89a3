"""Tokens, charging sessions, meter readings, signed values, records, and the inbox."""

from charging.sessions.models.inbox import InboxMessage
from charging.sessions.models.readings import MeterReading
from charging.sessions.models.records import ChargeRecord, RecordSeries, TerminalSettlement
from charging.sessions.models.sessions import ChargingSession, SessionQuerySet
from charging.sessions.models.signatures import MeterKey, SignedValue
from charging.sessions.models.tokens import Token

__all__ = [
    "ChargeRecord",
    "ChargingSession",
    "InboxMessage",
    "MeterKey",
    "MeterReading",
    "RecordSeries",
    "SessionQuerySet",
    "SignedValue",
    "TerminalSettlement",
    "Token",
]
