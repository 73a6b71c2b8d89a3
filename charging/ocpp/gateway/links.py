"""Which connection owns which station: the newest, always."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from websockets.frames import CloseCode

from charging.ocpp.gateway import metrics
from charging.ocpp.gateway.link import Link
from charging.stations.facts import Closing

_REPLACED: Final = "no longer this station's connection"


class Links:
    """The links of this process by station, and when each station was last heard."""

    def __init__(self) -> None:
        self._by_station: dict[int, Link] = {}
        self._seen: dict[int, datetime] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Link]:
        return iter(list(self._by_station.values()))

    def of(self, station_id: int) -> Link | None:
        """The link that owns the station here, if any."""
        return self._by_station.get(station_id)

    def add(self, link: Link) -> bool:
        """Let ``link`` own its station and close an older one; False where a newer one is here."""
        other = self._by_station.get(link.station_id)
        if other is not None and other.epoch > link.epoch:
            return False
        self._by_station[link.station_id] = link
        metrics.CONNECTED.set(len(self._by_station))
        if other is not None:
            self.dismiss(other)
        return True

    def remove(self, link: Link) -> None:
        """Forget ``link``; a newer one of the same station stays."""
        if self._by_station.get(link.station_id) is link:
            del self._by_station[link.station_id]
            metrics.CONNECTED.set(len(self._by_station))

    def reconcile(self, held: Mapping[int, int]) -> list[Closing]:
        """Compare with what the database believes to be here (station → epoch).

        A link whose station another gateway took is dismissed. A connection that is here no more,
        because its closing could not be stored, is returned for closing.
        """
        for link in self:
            if held.get(link.station_id) != link.epoch:
                self.remove(link)
                self.dismiss(link)
        return [
            Closing(station_id=station_id, epoch=epoch)
            for station_id, epoch in held.items()
            if station_id not in self._by_station
        ]

    def dismiss(self, link: Link) -> None:
        """Close a link that lost its station. Its peer may be half-open and never answer."""
        link.correlator.close()
        task = asyncio.create_task(_close(link))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def mark_seen(self, station_id: int, at: datetime) -> None:
        """Something was heard from the station."""
        self._seen[station_id] = at

    def take_seen(self) -> dict[int, datetime]:
        """What was heard since the last time this was asked."""
        seen, self._seen = self._seen, {}
        return seen


async def _close(link: Link) -> None:
    await link.socket.close(CloseCode.POLICY_VIOLATION, _REPLACED)
