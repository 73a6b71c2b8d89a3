"""A charger that repeats every message until it is answered, and the books it keeps."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.exceptions import WebSocketException

from charging.sessions.models import ChargingSession, MeterReading
from charging.stations.models import ChargingStation
from tests.charging.ocpp.peer import Peer, start_16

BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
LOST = (OSError, WebSocketException, TimeoutError)


@dataclass
class StubbornCharger:
    """Runs sessions one after the other and repeats every message until it is answered."""

    url: str
    station: ChargingStation
    tag: str
    stop: threading.Event
    started: dict[int, int] = field(default_factory=dict)
    metered: list[tuple[int, int]] = field(default_factory=list)
    stopped: dict[int, int] = field(default_factory=dict)
    repeats: int = 0
    refused: int = 0
    _peer: Peer | None = None

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            self._session(number)
            number += 1
        if self._peer is not None:
            self._peer.close()

    def _session(self, number: int) -> None:
        def at(minute: int) -> str:
            return (BEGAN + timedelta(hours=number, minutes=minute)).isoformat()

        start = start_16(self.tag, timestamp=at(0), meterStart=10_000 * number)
        answer = self._insist("StartTransaction", start)
        transaction = answer["transactionId"]
        self.refused += answer["idTagInfo"]["status"] != "Accepted"
        self.started[number] = transaction
        for minute in (1, 2):
            register = 10_000 * number + 100 * minute
            sample = {"timestamp": at(minute), "sampledValue": [{"value": str(register)}]}
            values = {"connectorId": 1, "transactionId": transaction, "meterValue": [sample]}
            self._insist("MeterValues", values)
            self.metered.append((transaction, register))
        end = {"transactionId": transaction, "meterStop": 10_000 * number + 300, "timestamp": at(3)}
        self._insist("StopTransaction", end)
        self.stopped[transaction] = 10_000 * number + 300

    def _insist(self, action: str, payload: dict[str, object]) -> dict[str, Any]:
        while True:
            try:
                if self._peer is None:
                    self._peer = Peer.dial(self.url, self.station.identity)
                return self._peer.result(action, payload)
            except LOST:
                self.repeats += 1
                if self._peer is not None:
                    with suppress(*LOST):
                        self._peer.close()
                self._peer = None
                time.sleep(0.05)


def differences(charger: StubbornCharger) -> list[str]:
    """What was acknowledged and is not stored, or is stored and was never acknowledged."""
    found = [] if not charger.refused else [f"{charger.refused} starts refused"]
    sessions = {
        int(session.transaction_ref): session
        for session in ChargingSession.objects.filter(station=charger.station)
    }
    if sorted(sessions) != sorted(charger.started.values()):
        found.append(f"{len(charger.started)} starts acknowledged, {len(sessions)} stored")
    for number, transaction in charger.started.items():
        session = sessions.get(transaction)
        told = (10_000 * number, charger.stopped[transaction], True)
        kept = session and (session.meter_start_wh, session.meter_stop_wh, session.complete)
        if kept != told:
            found.append(f"session {transaction}: told {told}, stored {kept}")
    readings = MeterReading.objects.filter(station=charger.station)
    stored = readings.values_list("session__transaction_ref", "register_wh")
    if sorted((int(ref or 0), wh) for ref, wh in stored) != sorted(charger.metered):
        found.append(f"{len(charger.metered)} readings acknowledged, {len(stored)} stored")
    return found
