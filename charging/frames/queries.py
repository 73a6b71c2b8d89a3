"""Reads about frames: a station's last ones in plain words, and what is forgiven to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from charging.frames.decoding import plain_words
from charging.frames.facts import Forgiveness
from charging.frames.models import QuirkCount, QuirkProfile, StationFrame
from charging.stations.models import ChargingStation

LAST: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRow:
    """A frame for people: when, who, what in plain words, and the text of the frame itself."""

    at: datetime
    direction: str
    version: str
    epoch: int
    kind: int
    message_id: str
    action: str
    words: str
    body: str
    size: int


def last_frames(*, station: ChargingStation, limit: int = LAST) -> list[FrameRow]:
    """The newest frames of a station, both ways, the newest first; one query."""
    newest = StationFrame.objects.filter(station=station).order_by("-at", "-id")[:limit]
    return [
        FrameRow(
            at=frame.at,
            direction=frame.direction,
            version=frame.version,
            epoch=frame.epoch,
            kind=frame.kind,
            message_id=frame.message_id,
            action=frame.action,
            words=plain_words(kind=frame.kind, action=frame.action, body=frame.body),
            body=frame.body,
            size=frame.size,
        )
        for frame in newest
    ]


def quirks_of(*, station: ChargingStation) -> QuerySet[QuirkCount]:
    """What was forgiven to a station, the most frequent first."""
    return QuirkCount.objects.filter(station=station).order_by("-times", "quirk")


def active_profiles() -> list[Forgiveness]:
    """What is forgiven to which makes of hardware now."""
    return [
        Forgiveness(
            vendor=profile.vendor,
            model=profile.model,
            firmware=profile.firmware,
            quirks=frozenset(profile.quirks),
        )
        for profile in QuirkProfile.objects.filter(active=True)
    ]
