"""One edge process: its adapters, started and stopped in an order that loses nothing."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import redis
import structlog

from fleet.telematics.edge.courier import Carrier, Courier
from fleet.telematics.edge.intake import Intake
from fleet.telematics.figures import EDGE_HEARTBEAT
from fleet.telematics.mqtt.gateway import Gateway as MqttGateway
from fleet.telematics.states import Protocol
from fleet.telematics.teltonika.gateway import Gateway as TeltonikaGateway
from fleet.telematics.teltonika.gateway import Limits
from mobility.core import clock
from mobility.core.health import record_heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleet.telematics.mqtt.gateway import Options as MqttOptions

log = structlog.get_logger(__name__)

_HEARTBEAT_S = 15.0


@dataclass(frozen=True, kw_only=True)
class EdgeOptions:
    """Which adapters to run, and where."""

    teltonika: tuple[str, int] | None = None
    mqtt: MqttOptions | None = None
    limits: Limits = field(default_factory=Limits)
    threads: int = 4


class Edge:
    """All adapters of a process around one intake and one courier."""

    def __init__(self, options: EdgeOptions) -> None:
        self.intake = Intake(threads=options.threads)
        self.teltonika: TeltonikaGateway | None = None
        self.mqtt: MqttGateway | None = None
        carriers: dict[str, Carrier] = {}
        if options.teltonika is not None:
            host, port = options.teltonika
            self.teltonika = TeltonikaGateway(
                self.intake, host=host, port=port, limits=options.limits
            )
            carriers[Protocol.TELTONIKA] = self.teltonika
        if options.mqtt is not None:
            self.mqtt = MqttGateway(self.intake, options.mqtt)
            carriers[Protocol.MQTT] = self.mqtt
        self.courier = Courier(carriers, threads=options.threads)

    async def start(self) -> None:
        """From the inside out: who takes first, who listens last."""
        self.intake.start()
        self.courier.start()
        if self.mqtt is not None:
            self.mqtt.courier = self.courier
            self.mqtt.start()
        if self.teltonika is not None:
            self.teltonika.courier = self.courier
            await self.teltonika.start()

    async def stop(self) -> None:
        """From the outside in: nothing new, then finish and answer what was read."""
        if self.mqtt is not None:
            self.mqtt.pause()
        if self.teltonika is not None:
            await self.teltonika.stop()
        await asyncio.to_thread(self.courier.stop)
        if self.mqtt is not None:
            await asyncio.to_thread(self.mqtt.stop)
        await asyncio.to_thread(self.intake.stop)


async def run_until_signal(options: EdgeOptions, *, ready: Callable[[Edge], None]) -> None:
    """Run an edge until SIGTERM or SIGINT; `ready` is called once it listens."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    edge = Edge(options)
    await edge.start()
    ready(edge)
    beating = asyncio.ensure_future(_beat())
    await stop.wait()
    log.info("edge.stopping")
    beating.cancel()
    await edge.stop()


async def _beat() -> None:
    """A sign of life for the figures; with the cache away there is none, which is the alarm."""
    while True:
        with suppress(redis.RedisError):
            await asyncio.to_thread(record_heartbeat, queue=EDGE_HEARTBEAT, at=clock.now())
        await asyncio.sleep(_HEARTBEAT_S)
