"""The live process: a small ASGI application of its own that serves event streams and nothing else."""

import asyncio
import contextlib
import datetime
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from mobility.core import clock
from mobility.live import rules
from mobility.live.audience import Audience, TokenNotValid, read
from mobility.live.broadcast import Broadcast

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class LiveApplication:
    """`/live/map?token=…` (text/event-stream), `/live/snapshot?token=…` (JSON, with an ETag) and `/live/healthz`.

    Pages of `origin` may read them. Who takes gzip gets it, compressed once for all who see the same.
    """

    def __init__(self, *, broadcast: Broadcast, origin: str) -> None:
        self._broadcast = broadcast
        self._headers = [
            (b"access-control-allow-origin", origin.encode()),
            (b"vary", b"Origin, Accept-Encoding"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await self._reply(send, 405, {"code": "method_not_allowed"})
        elif scope["path"] == "/live/healthz":
            await self._reply(send, 200, {"status": "ok", "listeners": self._broadcast.listeners})
        elif scope["path"] in {"/live/map", "/live/snapshot"}:
            await self._admit(scope, receive, send)
        else:
            await self._reply(send, 404, {"code": "not_found"})

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        at = clock.now()
        try:
            audience, until = read(token, at=at)
        except TokenNotValid as refused:
            await self._reply(
                send, refused.status, {"code": refused.code, "detail": refused.detail}
            )
            return
        if scope["path"] == "/live/snapshot":
            await self._snapshot(audience, scope, send)
        else:
            await self._stream(audience, until - at, scope, receive, send)

    async def _snapshot(self, audience: Audience, scope: Scope, send: Send) -> None:
        """The picture of this second; 304 while it is the one that the reader has."""
        still = await self._broadcast.still(audience)
        known = _asked(scope, b"if-none-match") == still.etag
        packed = _takes_gzip(scope) and not known
        headers = [*self._headers, (b"content-type", b"application/json"), (b"etag", still.etag)]
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        body = still.zipped if packed else still.body
        status = 304 if known else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if known else body})

    async def _stream(
        self,
        audience: Audience,
        lasts: datetime.timedelta,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Send until the person leaves or the token ends, whichever comes first."""
        packed = _takes_gzip(scope)
        headers = [
            *self._headers,
            (b"content-type", b"text/event-stream"),
            (b"x-accel-buffering", b"no"),
            *([(b"content-encoding", b"gzip")] if packed else []),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sending = asyncio.create_task(self._pour(audience, send, packed=packed))
        leaving = asyncio.create_task(_left(receive))
        await asyncio.wait(
            {sending, leaving}, timeout=lasts.total_seconds(), return_when=asyncio.FIRST_COMPLETED
        )
        left = leaving.done()
        for task in (sending, leaving):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await task
        if not left:
            last = rules.packed(rules.RENEW) if packed else rules.RENEW
            await send({"type": "http.response.body", "body": last})

    async def _pour(self, audience: Audience, send: Send, *, packed: bool) -> None:
        frames = self._broadcast.frames(audience, packed=packed)
        if packed:
            await send({"type": "http.response.body", "body": rules.GZIP_HEAD, "more_body": True})
        async with contextlib.aclosing(frames):
            async for frame in frames:
                await send({"type": "http.response.body", "body": frame, "more_body": True})

    async def _reply(self, send: Send, status: int, body: dict[str, Any]) -> None:
        headers = [*self._headers, (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": orjson.dumps(body, default=str)})


def _asked(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope.get("headers", ()) if key == name), b"")


def _takes_gzip(scope: Scope) -> bool:
    return b"gzip" in _asked(scope, b"accept-encoding")


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
