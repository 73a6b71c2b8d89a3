"""OCPP 1.6 wire shapes ↔ facts, by block of functions. Field names of the standard stop here."""

from charging.ocpp.v16.mapping.authorization import id_tag_info
from charging.ocpp.v16.mapping.boot import boot_report, status_report
from charging.ocpp.v16.mapping.metering import reading_batch, readings, sample
from charging.ocpp.v16.mapping.transactions import session_start, session_stop

__all__ = [
    "boot_report",
    "id_tag_info",
    "reading_batch",
    "readings",
    "sample",
    "session_start",
    "session_stop",
    "status_report",
]
