"""The batch verb of the gateway: facts about devices, inside the writer's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from charging.devices.events import ReservationEnded
from charging.devices.facts import (
    DeviceFact,
    EventsSaid,
    JobStatusSaid,
    PartSaid,
    ReservationEndSaid,
    SwapSaid,
)
from charging.devices.services.displays import keep_displays
from charging.devices.services.jobs import note_job_status
from charging.devices.services.monitors import keep_events
from charging.devices.services.reports import take_part
from charging.devices.services.swaps import keep_swaps
from charging.devices.states import ReportKind
from charging.stations.models import ChargingStation
from mobility.core import outbox


def record_facts(*, facts: Sequence[DeviceFact], at: datetime) -> None:
    """Keep what stations told of themselves, in the order in which they told it."""
    keep_events(facts=[fact for fact in facts if isinstance(fact, EventsSaid)], at=at)
    keep_swaps(facts=[fact for fact in facts if isinstance(fact, SwapSaid)], at=at)
    for fact in facts:
        if isinstance(fact, PartSaid):
            take_part(part=fact, at=at)
            if fact.kind == ReportKind.DISPLAY:
                keep_displays(station_id=fact.station_id, messages=fact.items, at=at)
        elif isinstance(fact, JobStatusSaid):
            note_job_status(fact=fact, at=at)
        elif isinstance(fact, ReservationEndSaid):
            _end_reservation(fact, at=at)


def _end_reservation(fact: ReservationEndSaid, *, at: datetime) -> None:
    station = ChargingStation.objects.filter(pk=fact.station_id).first()
    if station is not None:
        event = ReservationEnded(
            station_identity=station.identity,
            reservation_id=fact.reservation_id,
            status=fact.status,
        )
        outbox.publish(event, at=at)
