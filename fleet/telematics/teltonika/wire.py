"""The bytes of Teltonika units: hello, frames of records, commands and their answers.

Source: Teltonika Telematics Wiki, "Teltonika Data Sending Protocols" (codecs 8, 8 Extended, 12).

A frame is four zero bytes, the length of its data, the data, and a CRC-16/IBM of the data in four
bytes. The data begin with the codec and a count and end with the same count.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import fastcrc

if TYPE_CHECKING:
    from collections.abc import Mapping

CODEC_8, CODEC_8_EXTENDED, CODEC_12 = 0x08, 0x8E, 0x0C
# A link may be kept open with this byte between frames.
PING = b"\xff"
HELLO_TAKEN, HELLO_REFUSED = b"\x01", b"\x00"
# Units send at most 1,280 bytes; ten times that leaves room for those to come.
MAX_DATA_BYTES = 12_800
# Codec, count, at least nothing, count.
MIN_DATA_BYTES = 3
FRAME_HEAD = struct.Struct(">II")
CRC_BYTES = 4

_HELLO = struct.Struct(">H")
HELLO_HEAD_BYTES = _HELLO.size
_IMEI = re.compile(rb"[0-9]{15}")
_IMEI_BYTES = 15

_RECORD = struct.Struct(">QBiihHBH")
_TYPE_COMMAND, _TYPE_ANSWER = 5, 6
_COMMAND_HEAD = struct.Struct(">BBBI")
# Width of the values in each group of readings.
_GROUPS = (1, 2, 4, 8)
_LETTERS = {1: "B", 2: "H", 4: "I", 8: "Q"}


class _Width(NamedTuple):
    """How a codec writes one number, and two."""

    one: struct.Struct
    pair: struct.Struct


_NARROW = _Width(struct.Struct(">B"), struct.Struct(">BB"))
_WIDE = _Width(struct.Struct(">H"), struct.Struct(">HH"))


class FrameRefused(Exception):
    """A frame that cannot be taken; `reason` is one short word for counting and telling."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AvlRecord(NamedTuple):
    """One record as the unit says it; `readings` by its own numbers, always unsigned."""

    at_ms: int
    priority: int
    lon_e7: int
    lat_e7: int
    altitude_m: int
    angle_deg: int
    satellites: int
    speed_kmh: int
    event: int
    readings: Mapping[int, int]


class Answers(list[str]):
    """What a unit says to a command."""


def hello_length(head: bytes) -> int:
    """How many bytes of IMEI follow. Raises `FrameRefused`."""
    (length,) = _HELLO.unpack(head)
    if length != _IMEI_BYTES:
        raise FrameRefused("imei")
    return int(length)


def read_imei(body: bytes) -> str:
    """The IMEI of a hello. Raises `FrameRefused`."""
    if not _IMEI.fullmatch(body):
        raise FrameRefused("imei")
    return body.decode()


def data_length(head: bytes) -> int:
    """How many bytes of data follow a frame's head, without the CRC.

    Raises `FrameRefused` if this is no head, after which nobody knows where a frame begins.
    """
    zeros, length = FRAME_HEAD.unpack(head)
    if zeros:
        raise FrameRefused("preamble")
    if not MIN_DATA_BYTES <= length <= MAX_DATA_BYTES:
        raise FrameRefused("length")
    return int(length)


def read_frame(body: bytes) -> list[AvlRecord] | Answers:
    """The records or the answers in a frame, given its data and CRC. Raises `FrameRefused`."""
    data, crc = body[:-CRC_BYTES], int.from_bytes(body[-CRC_BYTES:])
    if fastcrc.crc16.arc(data) != crc:
        raise FrameRefused("crc")
    codec = data[0]
    try:
        if codec == CODEC_12:
            return _read_answers(data)
        if codec in (CODEC_8, CODEC_8_EXTENDED):
            return _read_records(data, wide=codec == CODEC_8_EXTENDED)
    except (struct.error, IndexError) as error:
        raise FrameRefused("truncated") from error
    raise FrameRefused("codec")


def count_reply(count: int) -> bytes:
    """How many records of a frame are safe; the unit sends again what it does not find counted."""
    return count.to_bytes(4)


def write_command(text: str) -> bytes:
    """A frame of codec 12 that carries a command."""
    body = text.encode("ascii")
    data = _COMMAND_HEAD.pack(CODEC_12, 1, _TYPE_COMMAND, len(body)) + body + b"\x01"
    return FRAME_HEAD.pack(0, len(data)) + data + fastcrc.crc16.arc(data).to_bytes(CRC_BYTES)


def _read_records(data: bytes, *, wide: bool) -> list[AvlRecord]:
    count = data[1]
    records, position = [], 2
    for _ in range(count):
        record, position = _read_record(data, position, wide=wide)
        records.append(record)
    if position != len(data) - 1:
        raise FrameRefused("length")
    if data[position] != count:
        raise FrameRefused("count")
    return records


def _read_record(data: bytes, position: int, *, wide: bool) -> tuple[AvlRecord, int]:
    told = _RECORD.unpack_from(data, position)
    event, readings, position = _read_readings(data, position + _RECORD.size, wide=wide)
    return AvlRecord._make((*told, event, readings)), position


def _read_readings(data: bytes, position: int, *, wide: bool) -> tuple[int, dict[int, int], int]:
    """Groups of readings by width; numbers and counts take two bytes in the extended codec."""
    head = _WIDE if wide else _NARROW
    event, total = head.pair.unpack_from(data, position)
    position += head.pair.size
    readings: dict[int, int] = {}
    told = 0
    for width in _GROUPS:
        (count,) = head.one.unpack_from(data, position)
        position += head.one.size
        if count:
            group = _group(count, head.one.size, width)
            flat = group.unpack_from(data, position)
            readings.update(zip(flat[::2], flat[1::2], strict=True))
            position += group.size
            told += count
    if wide:
        count, position = _skip_long_readings(data, position)
        told += count
    if told != total:
        raise FrameRefused("count")
    return event, readings, position


# Units repeat the same few shapes; a stranger's many cannot fill the memory.
@lru_cache(maxsize=1_000)
def _group(count: int, step: int, width: int) -> struct.Struct:
    """The layout of so many pairs of number and value."""
    if count * (step + width) > MAX_DATA_BYTES:
        raise FrameRefused("truncated")
    return struct.Struct(">" + (_LETTERS[step] + _LETTERS[width]) * count)


def _skip_long_readings(data: bytes, position: int) -> tuple[int, int]:
    """Readings of any length, of which we use none."""
    count = _number(data, position, 2)
    position += 2
    for _ in range(count):
        position += 4 + _number(data, position + 2, 2)
    return count, position


def _number(data: bytes, position: int, width: int) -> int:
    if width == 1:
        return data[position]
    part = data[position : position + width]
    if len(part) != width:
        raise FrameRefused("truncated")
    return int.from_bytes(part)


def _read_answers(data: bytes) -> Answers:
    count, position, answers = data[1], 2, Answers()
    for _ in range(count):
        kind, length = data[position], _number(data, position + 1, 4)
        position += 5
        if kind != _TYPE_ANSWER:
            raise FrameRefused("type")
        if position + length > len(data) - 1:
            raise FrameRefused("truncated")
        answers.append(data[position : position + length].decode("ascii", "replace"))
        position += length
    if position != len(data) - 1 or data[position] != count:
        raise FrameRefused("count")
    return answers
