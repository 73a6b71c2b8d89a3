"""Writes about tokens and charging sessions; one module per kind of deed."""

from charging.sessions.services.authorisation import authorize, authorize_many
from charging.sessions.services.corrections import (
    EnergyImplausible,
    NothingToCorrect,
    NotSettled,
    correct_session,
)
from charging.sessions.services.inbox import quarantine
from charging.sessions.services.lost import close_lost_sessions
from charging.sessions.services.pricing import RunningCosts
from charging.sessions.services.readings import record_readings
from charging.sessions.services.records import (
    AlreadyCredited,
    NotCreditable,
    ReasonMissing,
    credit_record,
    standing_lines,
)
from charging.sessions.services.remote import (
    NoSuchSession,
    TokenRefused,
    ask_station,
    remote_start,
    remote_stop,
)
from charging.sessions.services.settlement import settle_due, settle_session
from charging.sessions.services.signatures import (
    MeterKeyUnreadable,
    store_meter_key,
    verify_again,
)
from charging.sessions.services.starts import start_sessions
from charging.sessions.services.stops import stop_sessions
from charging.sessions.services.telling import (
    NoTariffToTell,
    bill_words,
    prices_at,
    tell_costs,
    tell_tariff,
)
from charging.sessions.services.terminal import record_settlements
from charging.sessions.services.tokens import (
    NoSuchPlace,
    NoSuchToken,
    TokenMalformed,
    TokenTaken,
    bind_token,
    block_token,
    block_tokens_of,
    ensure_token,
    unblock_token,
    unblock_tokens_of,
)
from charging.sessions.services.transactions import record_transaction_events

__all__ = [
    "AlreadyCredited",
    "EnergyImplausible",
    "MeterKeyUnreadable",
    "NoSuchPlace",
    "NoSuchSession",
    "NoSuchToken",
    "NoTariffToTell",
    "NotCreditable",
    "NotSettled",
    "NothingToCorrect",
    "ReasonMissing",
    "RunningCosts",
    "TokenMalformed",
    "TokenRefused",
    "TokenTaken",
    "ask_station",
    "authorize",
    "authorize_many",
    "bill_words",
    "bind_token",
    "block_token",
    "block_tokens_of",
    "close_lost_sessions",
    "correct_session",
    "credit_record",
    "ensure_token",
    "prices_at",
    "quarantine",
    "record_readings",
    "record_settlements",
    "record_transaction_events",
    "remote_start",
    "remote_stop",
    "settle_due",
    "settle_session",
    "standing_lines",
    "start_sessions",
    "stop_sessions",
    "store_meter_key",
    "tell_costs",
    "tell_tariff",
    "unblock_token",
    "unblock_tokens_of",
    "verify_again",
]
