"""Statuses of jobs of 1.6 → facts."""

from __future__ import annotations

from typing import Final

from charging.devices.facts import JobStatusSaid
from charging.ocpp.deeds import Asked

_LOG: Final = {"UploadFailed": "UploadFailure"}


def firmware_status(asked: Asked) -> JobStatusSaid:
    return _job(asked, "firmware")


def log_status(asked: Asked) -> JobStatusSaid:
    return _job(asked, "log")


def _job(asked: Asked, kind: str) -> JobStatusSaid:
    number = asked.payload.get("requestId")
    status: str = asked.payload["status"]
    return JobStatusSaid(
        station_id=asked.station_id,
        kind=kind,
        status=_LOG.get(status, status),
        # Only the messages of the security extension carry the request's number.
        number=None if number is None else int(number),
        at=asked.at,
    )
