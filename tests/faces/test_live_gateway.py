"""The live process at its door: tokens, streams, and the end of both."""

import asyncio
import datetime
import gzip
import json
import threading
import zlib
from typing import Any

import pytest

from mobility.core import clock
from mobility.live import audience, rules
from mobility.live.audience import Audience, TokenNotValid
from mobility.live.broadcast import Broadcast
from mobility.live.gateway import LiveApplication
from mobility.live.rules import Picture

ORIGIN = "https://giro.example"
PUBLIC = Audience.public()


async def still_city(audiences: frozenset[Audience]) -> dict[Audience, Picture]:
    return {one: Picture(at="now", sites={"s": ("s", one.kind)}) for one in audiences}


@pytest.fixture
def live() -> LiveApplication:
    return LiveApplication(broadcast=Broadcast(look=still_city, beat_s=0.01), origin=ORIGIN)


class Visit:
    """One HTTP request to the application, kept open until `leave`."""

    def __init__(
        self,
        app: LiveApplication,
        path: str,
        query: str = "",
        method: str = "GET",
        **headers: str,
    ) -> None:
        self.sent: list[dict[str, Any]] = []
        self.gone, self.told = asyncio.Event(), asyncio.Event()
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
            ],
        }
        self.task = asyncio.create_task(app(scope, self.receive, self.send))

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(dict(message))
        self.told.set()

    async def heard(self, words: bytes) -> None:
        async with asyncio.timeout(2):
            while words not in self.body:
                self.told.clear()
                await self.told.wait()

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def token(who: Audience = PUBLIC, *, lasts_s: float = 600.0) -> str:
    at = clock.now() + datetime.timedelta(seconds=lasts_s) - audience.LIFETIME
    return "token=" + audience.sign(who, at=at)


async def test_a_watcher_gets_the_picture_and_leaving_ends_everything(
    live: LiveApplication,
) -> None:
    visit = Visit(live, "/live/map", token())
    await visit.heard(b"event: snapshot")

    assert visit.status == 200
    assert visit.headers[b"content-type"] == b"text/event-stream"
    assert visit.headers[b"access-control-allow-origin"] == ORIGIN.encode()
    visit.gone.set()
    await asyncio.wait_for(visit.task, 2)
    assert b"renew" not in visit.body
    health = Visit(live, "/live/healthz")
    await health.task
    assert json.loads(health.body) == {"status": "ok", "listeners": 0}


async def test_who_takes_gzip_gets_the_same_stream_packed(live: LiveApplication) -> None:
    visit = Visit(live, "/live/map", token(), accept_encoding="gzip, br")
    async with asyncio.timeout(2):
        while b"snapshot" not in zlib.decompressobj(31).decompress(visit.body or b""):
            visit.told.clear()
            await visit.told.wait()
    visit.gone.set()
    await visit.task

    assert visit.headers[b"content-encoding"] == b"gzip"


async def test_the_snapshot_is_there_for_readers_without_a_stream_and_is_not_sent_twice(
    live: LiveApplication,
) -> None:
    first = Visit(live, "/live/snapshot", token(), accept_encoding="gzip")
    await first.task
    etag = first.headers[b"etag"].decode()
    again = Visit(live, "/live/snapshot", token(), if_none_match=etag)
    await again.task
    stranger = Visit(live, "/live/snapshot", "token=none")
    await stranger.task

    assert json.loads(gzip.decompress(first.body))["sites"] == [["s", "public"]]
    assert (again.status, again.body) == (304, b"")
    assert stranger.status == 403


async def test_a_snapshot_is_written_once_for_all_and_keeps_no_stream_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many ask, and ask again in vain; and never on the loop that serves the streams."""
    writers: list[int] = []
    write = rules.snapshot_body

    def watched(picture: Picture) -> bytes:
        writers.append(threading.get_ident())
        return write(picture)

    live = LiveApplication(broadcast=Broadcast(look=still_city, beat_s=30), origin=ORIGIN)
    stream = Visit(live, "/live/map", token())
    await stream.heard(b"event: snapshot")
    monkeypatch.setattr(rules, "snapshot_body", watched)
    visits = [Visit(live, "/live/snapshot", token(), accept_encoding="gzip") for _ in range(9)]
    await asyncio.gather(*[visit.task for visit in visits])
    etag = visits[0].headers[b"etag"].decode()
    again = [Visit(live, "/live/snapshot", token(), if_none_match=etag) for _ in range(9)]
    await asyncio.gather(*[visit.task for visit in again])
    stream.gone.set()
    await stream.task

    assert {visit.status for visit in visits} == {200}
    assert {visit.status for visit in again} == {304}
    assert len(writers) == 1
    assert writers[0] != threading.get_ident()


async def test_staff_and_public_do_not_share_a_picture(live: LiveApplication) -> None:
    marco = Visit(live, "/live/map", token(Audience.staff(frozenset({7}))))
    anybody = Visit(live, "/live/map", token())
    await marco.heard(b"staff")
    await anybody.heard(b"public")
    for visit in (marco, anybody):
        visit.gone.set()
        await visit.task

    assert b"staff" not in anybody.body


async def test_when_the_token_ends_the_page_is_asked_to_renew(live: LiveApplication) -> None:
    visit = Visit(live, "/live/map", token(lasts_s=0.15))
    await asyncio.wait_for(visit.task, 2)

    assert visit.body.endswith(b"event: renew\ndata: {}\n\n")
    assert not visit.sent[-1].get("more_body")


@pytest.mark.parametrize("query", ["", "token=", "token=made.up:thing", "token=%00"])
async def test_a_token_that_is_not_ours_opens_nothing(live: LiveApplication, query: str) -> None:
    visit = Visit(live, "/live/map", query)
    await visit.task

    assert visit.status == 403
    assert json.loads(visit.body)["code"] == "live_token_not_valid"


async def test_an_old_token_opens_nothing(live: LiveApplication) -> None:
    visit = Visit(live, "/live/map", token(lasts_s=-1))
    await visit.task

    assert visit.status == 403


async def test_other_addresses_and_methods_are_refused(live: LiveApplication) -> None:
    lost, writer = Visit(live, "/live/nothing"), Visit(live, "/live/map", token(), method="POST")
    await asyncio.gather(lost.task, writer.task)

    assert (lost.status, writer.status) == (404, 405)


def test_a_token_keeps_its_audience_and_cannot_be_widened() -> None:
    at = clock.now()
    narrow = Audience.staff(frozenset({3, 1}))
    signed = audience.sign(narrow, at=at)

    assert audience.read(signed, at=at) == (narrow, at + audience.LIFETIME)
    everything = audience.sign(Audience.staff(None), at=at)
    forged = everything.split(":")[0] + ":" + signed.split(":", 1)[1]
    with pytest.raises(TokenNotValid):
        audience.read(forged, at=at)
