"""The small HTTP of a device, against real sockets that behave and misbehave."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mobility.simulator.wire import DoorShut, Reply, Wire

Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"


def answering(*replies: bytes, lines: list[int] | None = None) -> Server:
    """A server that gives ``replies`` in turn on each connection and then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if lines is not None:
            lines.append(1)
        for reply in replies:
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"POST /api/v1/telemetry HTTP/1.1\r\nHost: 127.0.0.1")
            assert b"Authorization: Bearer dev_x\r\n" in head
            assert await reader.readexactly(2) == b"[]"
            writer.write(reply)
            await writer.drain()
        writer.close()

    return serve


def posts(serve: Server, times: int = 1) -> list[Reply]:
    """``times`` posts in a row over one wire."""

    async def run() -> list[Reply]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            wire = Wire(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            replies = [
                await wire.post("/api/v1/telemetry", body=b"[]", bearer="dev_x")
                for _ in range(times)
            ]
            wire.close()
            return replies

    return asyncio.run(run())


def test_one_connection_serves_many_reports() -> None:
    lines: list[int] = []
    replies = posts(answering(*[ACCEPTED] * 5, lines=lines), times=5)
    assert [reply.status for reply in replies] == [202] * 5
    assert len(lines) == 1


def test_a_server_that_says_it_closes_gets_a_new_connection() -> None:
    lines: list[int] = []
    closing = ACCEPTED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert len(posts(answering(closing, lines=lines), times=3)) == 3
    assert len(lines) == 3


def test_a_server_that_hangs_up_between_two_reports_costs_no_report() -> None:
    lines: list[int] = []
    assert len(posts(answering(ACCEPTED, ACCEPTED, lines=lines), times=6)) == 6
    assert len(lines) == 3


def test_headers_and_chunks_are_understood() -> None:
    chunked = (
        b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    )
    assert posts(answering(chunked)) == [
        Reply(503, {"retry-after": "7", "transfer-encoding": "chunked"}, b"abcde")
    ]


@pytest.mark.parametrize(
    "rubbish", [b"", b"HTTP/1.1 202", b"nonsense\r\n\r\n", ACCEPTED[:-1], b"x" * 200_000]
)
def test_what_is_no_answer_is_a_shut_door(rubbish: bytes) -> None:
    with pytest.raises(DoorShut):
        posts(answering(rubbish))


def test_nobody_there_is_a_shut_door() -> None:
    with pytest.raises(DoorShut):
        asyncio.run(Wire("http://127.0.0.1:9").post("/", body=b"", bearer=""))
