"""Streams of monitored values: opened and closed by calls, fed by SENDs."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from charging.ocpp import replies
from charging.ocpp.deeds import Asked, Deed, Handler, Verb
from charging.ocpp.rpc.frames import Payload
from charging.ocpp.wire import MAX_INTEGER, instant, whole
from charging.stations.facts import StreamOpened, StreamValues


def open_stream(asked: Asked) -> Deed:
    data = asked.payload["constantStreamData"]
    opened = StreamOpened(
        station_id=asked.station_id,
        number=whole(data["id"], at_least=0, at_most=MAX_INTEGER),
        monitor=whole(data["variableMonitoringId"], at_least=0, at_most=MAX_INTEGER),
    )
    return Deed(Verb.STREAM_OPEN, opened, _opened)


def close_stream(asked: Asked) -> Deed:
    closed = StreamOpened(station_id=asked.station_id, number=asked.payload["id"])
    return Deed(Verb.STREAM_CLOSE, closed, replies.nothing)


def stream_values(asked: Asked) -> Deed:
    """Elements carry seconds after the base time; the last one in time is the newest."""
    elements = asked.payload["data"]
    newest = max(elements, key=lambda element: float(element["t"]))
    values = StreamValues(
        station_id=asked.station_id,
        number=asked.payload["id"],
        count=len(elements),
        newest=newest["v"],
        newest_at=instant(asked.payload["basetime"]) + timedelta(seconds=float(newest["t"])),
    )
    return Deed(Verb.STREAM_VALUES, values, replies.nothing)


def _opened(taken: bool) -> Payload:  # noqa: FBT001 - the service's answer
    return {"status": "Accepted" if taken else "Rejected"}


HANDLERS: Final[dict[str, Handler]] = {
    "ClosePeriodicEventStream": close_stream,
    "NotifyPeriodicEventStream": stream_values,
    "OpenPeriodicEventStream": open_stream,
}
