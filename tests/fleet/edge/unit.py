"""A Teltonika unit as the tests play it: its bytes, written from the other side."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping, Sequence

import fastcrc

WIDTHS = (1, 2, 4, 8)


def avl(
    *,
    at_ms: int = 1_780_000_000_000,
    lon: int = 91_900_000,
    lat: int = 454_600_000,
    speed: int = 0,
    angle: int = 0,
    satellites: int = 9,
    readings: Mapping[int, int] | None = None,
    wide: bool = False,
) -> bytes:
    """One record; every reading goes into the narrowest group that holds it."""
    readings = readings or {}
    number = ">H" if wide else ">B"
    head = struct.pack(">QBiihHBH", at_ms, 0, lon, lat, 120, angle, satellites, speed)
    parts = [head, struct.pack(number, 0), struct.pack(number, len(readings))]
    for narrower, width in zip((0, *WIDTHS), WIDTHS, strict=False):
        group = {
            name: value
            for name, value in readings.items()
            if (1 << 8 * narrower if narrower else 0) <= value < 1 << 8 * width
        }
        parts.append(struct.pack(number, len(group)))
        for name, value in group.items():
            parts += [struct.pack(number, name), value.to_bytes(width)]
    if wide:
        parts.append(b"\x00\x00")
    return b"".join(parts)


def frame(records: Sequence[bytes], *, wide: bool = False) -> bytes:
    """A whole frame."""
    count = bytes([len(records)])
    data = (b"\x8e" if wide else b"\x08") + count + b"".join(records) + count
    return sealed(data)


def answer(text: str) -> bytes:
    """A unit's answer to a command."""
    body = text.encode()
    return sealed(b"\x0c\x01\x06" + len(body).to_bytes(4) + body + b"\x01")


def sealed(data: bytes) -> bytes:
    """Data with head and CRC."""
    return bytes(4) + len(data).to_bytes(4) + data + fastcrc.crc16.arc(data).to_bytes(4)


def hello(imei: str) -> bytes:
    """What a unit says first."""
    return len(imei).to_bytes(2) + imei.encode()


class Unit:
    """A unit with an open line."""

    def __init__(self, port: int, imei: str) -> None:
        self.port, self.imei = port, imei

    def call(self) -> bytes:
        """Connect and say hello; returns what it hears, nothing if the line was cut."""
        self.line = socket.create_connection(("127.0.0.1", self.port), 10)
        self.line.sendall(hello(self.imei))
        return self.line.recv(1)

    def say(self, body: bytes) -> int:
        """Send a frame and return how many records were counted."""
        self.line.sendall(body)
        return self.counted()

    def counted(self) -> int:
        return int.from_bytes(self.exactly(4))

    def command(self) -> str:
        """The next command's text."""
        head = self.exactly(8)
        body = self.exactly(int.from_bytes(head[4:]) + 4)
        assert body[0] == 0x0C
        return body[7:-5].decode()

    def exactly(self, size: int) -> bytes:
        """So many bytes, or a `ConnectionError` if the line is cut before."""
        body = b""
        while len(body) < size:
            part = self.line.recv(size - len(body))
            if not part:
                raise ConnectionError
            body += part
        return body

    def hung_up(self) -> bool:
        """Whether the line is cut, with nothing more said."""
        return self.line.recv(1) == b""

    def close(self) -> None:
        self.line.close()
