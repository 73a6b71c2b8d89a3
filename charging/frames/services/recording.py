"""Frames go in by COPY: the cheapest way there is, and one statement however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import connection

from charging.frames.facts import FrameSeen
from charging.frames.rules import storable_body

_COPY: Final = (
    "COPY charging_stationframe"
    " (station_id, at, direction, epoch, version, kind, message_id, action, body, size)"
    " FROM STDIN"
)


def record_frames(*, frames: Sequence[FrameSeen]) -> int:
    """Keep frames as they went over the wire, secrets masked; returns how many.

    Runs inside the caller's transaction. Frames of a day without partition are kept all the same.
    """
    if not frames:
        return 0
    with connection.cursor() as cursor, cursor.cursor.copy(_COPY) as copy:
        for frame in frames:
            copy.write_row(
                (
                    frame.station_id,
                    frame.at,
                    frame.direction,
                    frame.epoch,
                    frame.version,
                    frame.kind,
                    _text(frame.message_id, 64),
                    _text(frame.action, 50),
                    storable_body(frame.raw),
                    len(frame.raw),
                ),
            )
    return len(frames)


def _text(value: str, length: int) -> str:
    return value.replace("\x00", "")[:length]
