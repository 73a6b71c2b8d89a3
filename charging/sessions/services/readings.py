"""Meter values outside start and stop: stored once, attached to their session where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from charging.sessions.facts import ReadingBatch
from charging.sessions.models import ChargingSession
from charging.sessions.services.metering import reading_rows
from charging.sessions.services.rows import ReadingRow, insert_readings, update_sessions
from charging.sessions.states import SESSION_OPEN
from charging.stations import queries as stations
from charging.stations.queries import ConnectorRow


def record_readings(*, readings: Sequence[ReadingBatch], at: datetime) -> None:
    """Store meter values and bring their sessions' live figures up to date.

    A named transaction wins; without one the open session of the connector takes values from its
    start on. Values without a session stay by their connector and instant, and settlement joins
    what falls into its session. Nothing is refused: doubtful values are flagged.

    Runs inside the caller's transaction.
    """
    connectors = stations.connectors_by_key(station_ids={batch.station_id for batch in readings})
    sessions = _Sessions(readings)
    rows: list[ReadingRow] = []
    for batch in readings:
        connector = stations.find_connector(
            connectors,
            station_id=batch.station_id,
            evse_number=batch.evse_number,
            connector_number=batch.connector_number,
        )
        session = sessions.of(batch, connector)
        rows += reading_rows(
            batch.readings,
            station_id=batch.station_id,
            place=str(batch.evse_number),
            connector=connector,
            session=session,
        )
        if session is not None:
            session.heard_at = max(session.heard_at, at)
    update_sessions(sessions.touched)
    insert_readings(rows)


class _Sessions:
    """The sessions that a batch of readings can belong to; one query, locked in id order."""

    def __init__(self, readings: Sequence[ReadingBatch]) -> None:
        references = {batch.transaction_ref for batch in readings if batch.transaction_ref}
        rows = (
            ChargingSession.objects.select_for_update(of=("self",))
            .filter(station_id__in={batch.station_id for batch in readings})
            .filter(Q(transaction_ref__in=references) | Q(state__in=SESSION_OPEN))
            .order_by("pk")
        )
        self._by_reference: dict[tuple[int, str], ChargingSession] = {}
        self._by_connector: dict[int, ChargingSession] = {}
        self._touched: dict[int, ChargingSession] = {}
        for row in rows:
            self._by_reference[row.station_id, row.transaction_ref] = row
            if row.state in SESSION_OPEN and row.connector_id is not None:
                self._by_connector[row.connector_id] = row

    @property
    def touched(self) -> list[ChargingSession]:
        """The sessions that were handed out."""
        return list(self._touched.values())

    def of(self, batch: ReadingBatch, connector: ConnectorRow | None) -> ChargingSession | None:
        """The session the values belong to, if it can be told."""
        session = self._by_reference.get((batch.station_id, batch.transaction_ref or ""))
        if session is None and connector is not None:
            session = self._by_connector.get(connector.pk)
            earliest = min((reading.at for reading in batch.readings), default=None)
            if session and session.started_at and earliest and earliest < session.started_at:
                session = None
        if session is not None:
            self._touched[session.pk] = session
        return session
