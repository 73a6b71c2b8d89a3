"""Simulated chargers of the OCPP benchmark, and the CPU and the latencies that they cause."""

from __future__ import annotations

import asyncio
import base64
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import websockets
from websockets.asyncio.client import ClientConnection

from bench.meters import postmaster_pid, tree_cpu_s
from mobility.core import clock

PASSWORD = "a-benchmark-needs-a-password"


def pss_kb(pid: int) -> int:
    """Proportional memory of a process."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])


class Meter:
    """CPU of gateway and database, and latencies, between two moments."""

    def __init__(self, gateway_pid: int) -> None:
        self.pid = gateway_pid
        self.postmaster = postmaster_pid()
        self.latencies: list[float] = []
        self.failures = 0
        self.restart()

    def restart(self) -> None:
        self.latencies.clear()
        self.began = time.perf_counter()
        self.gateway_s = tree_cpu_s([self.pid])
        self.database_s = tree_cpu_s([self.postmaster])

    def read(self) -> dict[str, float]:
        """Requests, requests per second, CPU-s per 1,000 (both parts), latency percentiles."""
        count = len(self.latencies)
        ordered = sorted(self.latencies)
        gateway = 1000 * (tree_cpu_s([self.pid]) - self.gateway_s) / count
        database = 1000 * (tree_cpu_s([self.postmaster]) - self.database_s) / count
        return {
            "requests": count,
            "per_s": count / (time.perf_counter() - self.began),
            "gateway": gateway,
            "database": database,
            "cpu": gateway + database,
            "p50_ms": 1000 * ordered[count // 2],
            "p99_ms": 1000 * ordered[int(count * 0.99)],
        }


class Charger:
    """One simulated charger; `cycle` is its day in short."""

    def __init__(self, number: int, url: str, meter: Meter) -> None:
        self.number = number
        self.url = url
        self.meter = meter
        self.register = 0
        self.sent = 0
        self.turned_away = 0
        self.socket: ClientConnection | None = None
        # When calls fall due, in an open loop; None: at once.
        self.due: asyncio.Queue[float] | None = None

    async def connect(self, protocol: str) -> None:
        identity = f"BENCH-{self.number}"
        secret = base64.b64encode(f"{identity}:{PASSWORD}".encode()).decode()
        self.socket = await websockets.connect(
            f"{self.url}/{identity}",
            subprotocols=[websockets.Subprotocol(protocol)],
            additional_headers={"Authorization": f"Basic {secret}"},
            compression=None,
            ping_interval=None,
            open_timeout=60,
            proxy=None,
        )

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        assert self.socket is not None  # narrows; connect() comes first
        self.sent += 1
        began = time.perf_counter() if self.due is None else await self.due.get()
        await self.socket.send(orjson.dumps([2, str(self.sent), action, payload]), text=True)
        answer = orjson.loads(await self.socket.recv(decode=False))
        self.meter.latencies.append(time.perf_counter() - began)
        if answer[0] != 3:
            self.meter.failures += 1
            return {}
        found: dict[str, Any] = answer[2]
        return found

    async def greet(self, protocol: str) -> None:
        """Connect, boot, one status: what every charger does after an outage."""
        await self.get_in(protocol)
        if protocol == "ocpp1.6":
            await self.call("BootNotification", {"chargePointVendor": "B", "chargePointModel": "B"})
            await self.call("StatusNotification", status_16("Available"))
        else:
            station = {"vendorName": "B", "model": "B"}
            boot = {"reason": "PowerUp", "chargingStation": station}
            await self.call("BootNotification", boot)
            await self.call("StatusNotification", status_201("Available"))

    async def get_in(self, protocol: str) -> None:
        """Connect, and come again where the gateway says that too many do."""
        while True:
            try:
                await self.connect(protocol)
            except websockets.InvalidStatus as refusal:
                if refusal.response.status_code != 503:
                    raise
                self.turned_away += 1
                await asyncio.sleep(0.5 + random.random())
            else:
                return

    async def close(self) -> None:
        if self.socket is not None:
            await self.socket.close()

    async def cycle_16(self) -> None:
        tag = f"BENCH{self.number}"
        await self.call("Heartbeat", {})
        for word in ("Available", "Preparing", "Charging"):
            await self.call("StatusNotification", status_16(word))
        await self.call("Authorize", {"idTag": tag})
        await self.charge_16(values=10)

    async def charge_16(self, *, values: int = 50) -> None:
        """A charge that goes on: nothing but meter values."""
        tag = f"BENCH{self.number}"
        start = {"connectorId": 1, "idTag": tag, "meterStart": self.register, "timestamp": now()}
        number = (await self.call("StartTransaction", start)).get("transactionId", 0)
        for _ in range(values):
            self.register += 1
            value = {"timestamp": now(), "sampledValue": self.samples(str)}
            told = {"connectorId": 1, "transactionId": number, "meterValue": [value]}
            await self.call("MeterValues", told)
        stop = {"transactionId": number, "meterStop": self.register, "timestamp": now()}
        await self.call("StopTransaction", stop)

    async def cycle_201(self) -> None:
        token = {"idToken": f"BENCH{self.number}", "type": "ISO14443"}
        await self.call("Heartbeat", {})
        for word in ("Available", "Occupied"):
            await self.call("StatusNotification", status_201(word))
        await self.call("Authorize", {"idToken": token})
        transaction = f"{self.number}-{time.time_ns()}"
        for seq_no in range(12):
            self.register += 1
            kind = {0: "Started", 11: "Ended"}.get(seq_no, "Updated")
            event = {
                "eventType": kind,
                "timestamp": now(),
                "triggerReason": "MeterValuePeriodic",
                "seqNo": seq_no,
                "transactionInfo": {"transactionId": transaction},
                "evse": {"id": 1, "connectorId": 1},
                "meterValue": [{"timestamp": now(), "sampledValue": self.samples(float)}],
            }
            await self.call("TransactionEvent", event | ({"idToken": token} if not seq_no else {}))

    def samples(self, as_wire: Callable[[int], Any]) -> list[dict[str, Any]]:
        """Register, power, state of charge."""
        return [
            {"value": as_wire(self.register), "measurand": "Energy.Active.Import.Register"},
            {"value": as_wire(7_000), "measurand": "Power.Active.Import"},
            {"value": as_wire(50), "measurand": "SoC"},
        ]


def now() -> str:
    return clock.now().isoformat()


def status_16(word: str) -> dict[str, Any]:
    return {"connectorId": 1, "errorCode": "NoError", "status": word, "timestamp": now()}


def status_201(word: str) -> dict[str, Any]:
    return {"timestamp": now(), "connectorStatus": word, "evseId": 1, "connectorId": 1}
