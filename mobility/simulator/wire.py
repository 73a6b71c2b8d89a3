"""The HTTP of a small device: one POST at a time over connections that stay open.

A general client spends ten times the work of the simulated fleet itself on every report; four
hundred vehicles reporting every five seconds would keep a third of a core busy with it.
"""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MOST_CONNECTIONS = 12
PATIENCE_S = 15.0
IDLE_S = 1.5
NO_ANSWER = (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError)


class DoorShut(OSError):
    """No connection, no answer in time, or not an answer in HTTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class _Line:
    """One open connection and when it was last used (loop time)."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at: float = 0.0

    def usable(self, now: float) -> bool:
        """Idle ones are about to be closed by the server: a report must not race that."""
        return now - self.used_at < IDLE_S and not self.reader.at_eof()

    def close(self) -> None:
        self.writer.close()


@dataclass(slots=True)
class Wire:
    """A few connections to one server, shared by all devices of this process."""

    url: str
    _idle: list[_Line] = field(default_factory=list)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_CONNECTIONS))

    async def post(self, path: str, *, body: bytes, bearer: str) -> Reply:
        """Send JSON and wait for the whole reply; raises DoorShut."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\n"
            f"Authorization: Bearer {bearer}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            async with self._turn, asyncio.timeout(PATIENCE_S):
                return await self._exchange(head.encode("ascii") + body)
        except NO_ANSWER as error:
            raise DoorShut(type(error).__name__) from error

    def close(self) -> None:
        """Hang up everything that is idle."""
        while self._idle:
            self._idle.pop().close()

    async def _exchange(self, message: bytes) -> Reply:
        """Send over an open line; one that the server hung up meanwhile is not its answer."""
        line = self._idle_line()
        if line is not None:
            try:
                return await self._ask(line, message)
            except (ConnectionError, EOFError):
                line.close()
        return await self._ask(await self._new_line(), message)

    async def _ask(self, line: _Line, message: bytes) -> Reply:
        try:
            line.writer.write(message)
            await line.writer.drain()
            reply = await _read_reply(line.reader)
        except BaseException:
            line.close()
            raise
        if reply.headers.get("connection", "").lower() == "close":
            line.close()
        else:
            line.used_at = asyncio.get_running_loop().time()
            self._idle.append(line)
        return reply

    def _idle_line(self) -> _Line | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            line = self._idle.pop()
            if line.usable(now):
                return line
            line.close()
        return None

    async def _new_line(self) -> _Line:
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port or (443 if secure else 80), ssl=secure or None
        )
        return _Line(reader, writer)


async def _read_reply(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status_line, *lines = head.rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    status = int(status_line.partition(" ")[2][:3])
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Reply(status, headers, await _read_chunks(reader))
    return Reply(status, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
