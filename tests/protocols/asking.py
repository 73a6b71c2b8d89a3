"""Asking a station something through the ledger, and answering as the station."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from charging.stations import services
from charging.stations.models import ChargingStation, Connector, StationCommand
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import Peer

Eventually = Callable[..., Any]


def connected(grid: Grid, version: str, **values: Any) -> tuple[ChargingStation, Peer]:
    """A station on the line; an answered call proves that its socket is registered."""
    station = grid.station(**values)
    peer = grid.dial(station, version)
    peer.result("Heartbeat")
    station.refresh_from_db()
    return station, peer


def ask(
    station: ChargingStation,
    action: str,
    payload: dict[str, Any] | None = None,
    *,
    evse: int | None = None,
    **options: Any,
) -> StationCommand:
    """Queue a command, at the connector of an EVSE if one is named."""
    place = Connector.objects.get(evse__station=station, evse__number=evse) if evse else None
    return services.queue_command(
        station_id=station.pk,
        action=action,
        payload=payload or {},
        connector_id=place.pk if place else None,
        idempotency_key=options.pop("key", "") or ids.short_code(12),
        at=clock.now(),
        by=SYSTEM,
        **options,
    )


def over(command: StationCommand, eventually: Eventually) -> StationCommand:
    """The command once it is finished."""

    def ended() -> StationCommand | None:
        row = StationCommand.objects.get(pk=command.pk)
        return row if row.state not in ("queued", "sent") else None

    found: StationCommand | None = eventually(ended)
    assert found is not None, StationCommand.objects.get(pk=command.pk).state
    return found


def exchange(peer: Peer, answer: object) -> tuple[str, dict[str, Any]]:
    """Take the next call of ours, answer it, and give its action and payload."""
    call = peer.receive()
    assert call[0] == 2, call
    peer.answer(call, answer)
    return call[2], call[3]
