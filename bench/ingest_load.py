"""The vehicles of `bench.ingest` at the door, and a watch on when their reports are stored."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from django.db import connection

from fleet.telematics.log import entry_order
from fleet.telematics.models import IngestOffset
from fleet.vehicles import mailbox

SENDERS = 4


# --- vehicles that report -------------------------------------------------------------------------
class Sender(threading.Thread):
    """Some vehicles, one after the other on one connection; with `pace_s` no faster than that.

    Each first asks for its commands, before `ready`: the door knows it then, as it does all day.
    """

    def __init__(
        self,
        port: int,
        requests: Sequence[tuple[str, bytes]],
        *,
        ready: threading.Barrier,
        pace_s: float = 0.0,
    ) -> None:
        super().__init__(daemon=True)
        self.port, self.requests, self.pace_s, self.ready = port, requests, pace_s, ready
        self.refused = 0

    def run(self) -> None:
        """Send all; a refusal is sent again."""
        door = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for secret in {secret for secret, _body in self.requests}:
            self._accepted(door, secret, b"{}")
        self.ready.wait()
        due = time.perf_counter()
        for secret, body in self.requests:
            time.sleep(max(0.0, due - time.perf_counter()))
            due += self.pace_s
            while not self._accepted(door, secret, body):
                self.refused += 1
                time.sleep(0.2)
        door.close()

    @staticmethod
    def _accepted(door: http.client.HTTPConnection, secret: str, body: bytes) -> bool:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        door.request("POST", "/api/v1/telemetry", body, headers)
        answer = door.getresponse()
        said = answer.read()
        if answer.status not in {202, 503}:
            raise RuntimeError(f"{answer.status} {said[:300]!r}")
        return answer.status == 202


def send_all(
    port: int,
    requests: Sequence[tuple[str, bytes]],
    *,
    pace_s: float = 0.0,
    begin: Callable[[], object] = lambda: None,
) -> None:
    """All requests through a few connections; each vehicle's stay in their order.

    `begin` is called when everybody is ready, before the first report.
    """
    by_secret: dict[str, list[tuple[str, bytes]]] = {}
    for request in requests:
        by_secret.setdefault(request[0], []).append(request)
    shares: list[list[tuple[str, bytes]]] = [[] for _ in range(SENDERS)]
    for number, share in enumerate(_rounds(by_secret)):
        shares[number % SENDERS] += share
    ready = threading.Barrier(SENDERS, action=begin, timeout=120)
    senders = [Sender(port, share, ready=ready, pace_s=pace_s * SENDERS) for share in shares]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def _rounds(by_secret: dict[str, list[tuple[str, bytes]]]) -> Iterator[list[tuple[str, bytes]]]:
    """Groups of vehicles that never meet another sender, their requests taken in turn."""
    secrets = sorted(by_secret)
    for share in range(SENDERS):
        mine = [by_secret[secret] for secret in secrets[share::SENDERS]]
        longest = max((len(requests) for requests in mine), default=0)
        yield [requests[n] for n in range(longest) for requests in mine if n < len(requests)]


class Watch(threading.Thread):
    """Sees every entry come into the log, and when the offset in the database has passed it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.entries: list[tuple[int, int]] = []
        self.offsets: list[tuple[float, tuple[int, int]]] = []
        self.over = threading.Event()

    def run(self) -> None:
        """Look every two milliseconds."""
        client: Any = mailbox.client()
        last = b"$"
        newest = client.xinfo_stream("tele:0")["last-generated-id"]
        last = newest
        while not self.over.is_set():
            for _key, entries in client.xread({"tele:0": last}, count=10_000) or ():
                self.entries += [entry_order(entry_id.decode()) for entry_id, _ in entries]
                last = entries[-1][0]
            stored = IngestOffset.objects.filter(shard=0).values_list("last_id", flat=True).first()
            if stored:
                self.offsets.append((time.time() * 1000, entry_order(stored)))
            time.sleep(0.002)
        connection.close()

    def latencies_ms(self) -> Any:
        """From each entry's own time to the first look at which it was stored."""
        found, place = [], 0
        for entry in sorted(self.entries):
            while place < len(self.offsets) and self.offsets[place][1] < entry:
                place += 1
            if place < len(self.offsets):
                found.append(self.offsets[place][0] - entry[0])
        return np.array(found or [np.nan])
