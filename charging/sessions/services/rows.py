"""How batches of sessions and readings reach the database: one statement each, whatever their size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from charging.sessions.facts import SignedData
from charging.sessions.models import ChargingSession, SignedValue
from charging.stations.rules import storable_json, without_nul

# Everything a station's message may change. The state is missing on purpose: it moves by
# `core.transitions` alone.
_COLUMNS: Final = {
    "connector_id": "bigint",
    "charging_state": "text",
    "token_uid": "text",
    "owner_ref": "text",
    "purpose_ref": "text",
    "verdict": "text",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "heard_at": "timestamptz",
    "end_reported_at": "timestamptz",
    "meter_start_wh": "bigint",
    "meter_stop_wh": "bigint",
    "last_register_wh": "bigint",
    "last_register_at": "timestamptz",
    "charged_until": "timestamptz",
    "power_w": "int",
    "soc_pct": "smallint",
    "energy_wh": "bigint",
    "stop_reason": "text",
    "stop_token_uid": "text",
    "seq_first": "int",
    "seq_last": "int",
    "seq_next": "int",
    "seq_missing": "int[]",
    "complete": "bool",
    "flags": "text[]",
    "tariff_version_id": "bigint",
}
_INSERT_ONLY: Final = {
    "public_id": "uuid",
    "station_id": "bigint",
    "transaction_ref": "text",
    "state": "text",
    "currency": "text",
    "signature": "text",
    "lines": "jsonb",
    "vat": "jsonb",
}
_ALL: Final = {**_INSERT_ONLY, **_COLUMNS}
_INSERT: Final = f"""
INSERT INTO charging_chargingsession ({", ".join(_ALL)})
SELECT {", ".join(_ALL)}
  FROM jsonb_to_recordset(%s::jsonb)
       AS new ({", ".join(f"{name} {kind}" for name, kind in _ALL.items())})
 ORDER BY station_id, transaction_ref
RETURNING public_id, id
"""  # noqa: S608 - built from the constants above
_UPDATE: Final = f"""
UPDATE charging_chargingsession AS session
   SET {", ".join(f"{column} = new.{column}" for column in _COLUMNS)}
  FROM jsonb_to_recordset(%s::jsonb)
       AS new (id bigint, {", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
 WHERE session.id = new.id
"""  # noqa: S608 - built from the constant above
_READINGS: Final = """
INSERT INTO charging_meterreading
       (station_id, connector_id, session_id, at, fingerprint, context, register_wh, power_w,
        soc_pct, interval_wh, current_ma, phases, suspect, doubt, raw)
SELECT station_id, connector_id, session_id, at, fingerprint, context, register_wh, power_w,
       soc_pct, interval_wh, current_ma, phases, doubt <> '', doubt, raw
  FROM jsonb_to_recordset(%s::jsonb)
       AS reading (station_id bigint, connector_id bigint, session_id bigint, at timestamptz,
                   fingerprint uuid, context text, register_wh bigint, power_w int,
                   soc_pct smallint, interval_wh bigint, current_ma int, phases jsonb,
                   doubt text, raw jsonb)
 ORDER BY station_id, fingerprint
    ON CONFLICT (station_id, fingerprint) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRow:
    """A signed value about to be stored, as it came; place and session are its reading's."""

    context: str
    fingerprint: UUID
    data: SignedData


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRow:
    """A reading about to be stored."""

    station_id: int
    connector_id: int | None
    session_id: int | None
    at: datetime
    fingerprint: UUID
    context: str
    register_wh: int | None
    power_w: int | None
    soc_pct: int | None
    raw: dict[str, Any]
    interval_wh: int | None = None
    current_ma: int | None = None
    phases: dict[str, Any] = field(default_factory=dict)
    doubt: str = ""
    signed: tuple[SignedRow, ...] = ()


def insert_sessions(sessions: Iterable[ChargingSession]) -> None:
    """Create sessions and give each its id.

    Raises IntegrityError if another gateway has just created one of them from another event of
    its transaction; the batch is then repeated and finds it.
    """
    waiting = {session.public_id: session for session in sessions}
    if not waiting:
        return
    rows = [_plain(session, _ALL) for session in waiting.values()]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [storable_json(rows)])
        for public_id, pk in cursor.fetchall():
            waiting[public_id].pk = pk


def update_sessions(sessions: Iterable[ChargingSession]) -> None:
    """Write the columns that messages change, of all sessions at once."""
    rows = [{"id": session.pk, **_plain(session, _COLUMNS)} for session in sessions]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE, [storable_json(rows)])


def insert_readings(readings: Sequence[ReadingRow]) -> None:
    """Store readings; one that is there already stays as it was."""
    if not readings:
        return
    with connection.cursor() as cursor:
        cursor.execute(_READINGS, [storable_json(readings)])
    _insert_signed(readings)


def _insert_signed(readings: Sequence[ReadingRow]) -> None:
    """Signed values, where a meter signs; most messages have none and cost no statement."""
    values = {
        (row.station_id, signed.fingerprint): SignedValue(
            station_id=row.station_id,
            connector_id=row.connector_id,
            session_id=row.session_id,
            at=row.at,
            context=signed.context[:24],
            fingerprint=signed.fingerprint,
            signed_data=without_nul(signed.data.data),
            public_key=without_nul(signed.data.public_key),
            signing_method=without_nul(signed.data.signing_method)[:50],
            encoding_method=without_nul(signed.data.encoding_method)[:50],
        )
        for row in readings
        for signed in row.signed
    }
    if values:
        SignedValue.objects.bulk_create(values.values(), ignore_conflicts=True)


def next_transaction_ids(*, count: int) -> list[int]:
    """`count` transaction ids for OCPP 1.6, positive and never given before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval('charging_transaction_id') FROM generate_series(1, %s)",
            [count],
        )
        return [row[0] for row in cursor.fetchall()]


def _plain(session: ChargingSession, columns: Iterable[str]) -> dict[str, Any]:
    return {column: getattr(session, column) for column in columns}
