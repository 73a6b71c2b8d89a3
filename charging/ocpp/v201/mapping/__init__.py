"""OCPP 2.0.1 wire shapes ↔ facts, by block of functions. Field names of the standard stop here."""

from charging.ocpp.v201.mapping.authorization import authorization_ask, id_token_info
from charging.ocpp.v201.mapping.boot import boot_report, status_report
from charging.ocpp.v201.mapping.metering import reading_batch, readings, sample
from charging.ocpp.v201.mapping.transactions import event_reply, transaction_event

__all__ = [
    "authorization_ask",
    "boot_report",
    "event_reply",
    "id_token_info",
    "reading_batch",
    "readings",
    "sample",
    "status_report",
    "transaction_event",
]
