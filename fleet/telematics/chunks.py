"""How an hour of a vehicle's points is packed for the years: columns, differences, zstd.

1. Points stand in the order of device time, one for each moment.
2. Every column is turned into differences from the row before, the first one from zero.
3. A difference becomes a small positive number (zigzag: 0, −1, 1, −2 … → 0, 1, 2, 3 …) and that a
   varint: seven bits a byte, the eighth says that more follow.
4. All columns one after the other are pressed by zstd with a checksum of its own.

The same points always give the same bytes. When a point was received is not kept: that is a fact
of our doors, and nobody asks for it once the day is over.
Sources: Protocol Buffers encoding (varint, zigzag); RFC 8878 (zstd).
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import zstandard

from fleet.telematics import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.telematics.records import Points

HOUR_US = 3_600 * 1_000_000

# Points from which on an hour ends a chunk.
ENOUGH = 240

# In the order in which they lie in a chunk. A new column goes to the end: chunks made before it
# say how many they have, and what they lack was not reported.
COLUMNS = (
    "at_us",
    "lon_e7",
    "lat_e7",
    "odometer_m",
    "accuracy_dm",
    "speed_cms",
    "heading",
    "battery_pct",
    "locked",
    "tilted",
)
# Device clocks mostly count in seconds or milliseconds: differences are kept in that unit.
_UNITS_US = (1_000_000, 1_000, 1)

_HEADER = struct.Struct("<BB")
_LEVEL = 9
# Bytes of the longest varint: 64 bits, seven in each.
_LONGEST = 10


class ChunkBroken(ValueError):
    """These bytes are no chunk, or not any more."""


def starts_of(points: Points) -> NDArray[np.int64]:
    """The places at which chunks begin in points of one day, in order of vehicle and time.

    A chunk begins with an hour. It is one hour of a vehicle that reports all the time; hours with
    few points share one until it has `ENOUGH`, or a chunk's own weight would exceed its points'.
    """
    hours = points["at_us"] // HOUR_US
    turns = (np.diff(hours) != 0) | (np.diff(points["vehicle_id"]) != 0)
    begins = np.concatenate([[0], np.flatnonzero(turns) + 1])
    counts = np.diff(np.append(begins, len(points))).tolist()
    vehicles = points["vehicle_id"][begins].tolist()
    starts, vehicle, filled = [], None, 0
    for begin, owner, count in zip(begins.tolist(), vehicles, counts, strict=True):
        if owner != vehicle or filled >= ENOUGH:
            starts.append(begin)
            vehicle, filled = owner, 0
        filled += count
    return np.array(starts, dtype=np.int64)


def pack(points: Points) -> bytes:
    """The chunk of points that are in order of device time."""
    return pack_many(points, [0])[0]


def pack_many(points: Points, starts: Sequence[int]) -> list[bytes]:
    """One chunk for each group of points; `starts` are the places at which the groups begin.

    All differences and varints are made in one go over all groups; only zstd runs once a group.
    """
    bounds = [*starts, len(points)]
    firsts = np.asarray(starts, dtype=np.int64)
    units = [_unit_us(points["at_us"][a:b]) for a, b in pairwise(bounds)]
    divisors = np.repeat(np.array(units, dtype=np.int64), np.diff(bounds))
    streams = []
    for name in COLUMNS:
        values = points[name].astype(np.int64)
        if name == "at_us":
            values //= divisors
        streams.append(_varints(_zigzag(_differences(values, firsts)), bounds))
    press = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
    return [
        _HEADER.pack(_UNITS_US.index(unit), len(COLUMNS))
        + press.compress(b"".join(stream[group] for stream in streams))
        for group, unit in enumerate(units)
    ]


def unpack(payload: bytes, *, vehicle_id: int) -> Points:
    """The points of a chunk, as they were stored. Raises `ChunkBroken`."""
    return unpack_many([payload], vehicle_ids=[vehicle_id])


def unpack_many(payloads: Sequence[bytes], *, vehicle_ids: Sequence[int]) -> Points:
    """The points of several chunks, one after the other. Raises `ChunkBroken`."""
    expand = zstandard.ZstdDecompressor()
    streams, heads = [], []
    try:
        for payload in payloads:
            heads.append(_HEADER.unpack_from(payload))
            streams.append(expand.decompress(payload[_HEADER.size :]))
        numbers, bounds = _numbers(streams)
        columns = [
            _column_values(numbers[a:b], *head)
            for head, (a, b) in zip(heads, pairwise(bounds), strict=True)
        ]
    except (struct.error, zstandard.ZstdError, ValueError, IndexError) as error:
        raise ChunkBroken(f"of vehicle {sorted(set(vehicle_ids))[:3]}: {error}") from error
    return _rows(columns, vehicle_ids)


def _column_values(numbers: NDArray[np.int64], unit: int, columns: int) -> NDArray[np.int64]:
    """The columns of one chunk, as far as it has them; the others were not reported."""
    told = numbers.reshape(columns, -1)
    values = np.full((len(COLUMNS), told.shape[1]), records.UNKNOWN, dtype=np.int64)
    np.cumsum(told[: len(COLUMNS)], axis=1, out=values[:columns])
    values[0] *= _UNITS_US[unit]
    return values


def _rows(columns: list[NDArray[np.int64]], vehicle_ids: Sequence[int]) -> Points:
    values = np.concatenate([np.empty((len(COLUMNS), 0), dtype=np.int64), *columns], axis=1)
    rows = np.empty(values.shape[1], dtype=records.OWNED_POINT)
    rows["device_id"] = rows["received_us"] = records.UNKNOWN
    rows["vehicle_id"] = np.repeat(
        np.asarray(vehicle_ids, dtype=np.int64), [part.shape[1] for part in columns]
    )
    for name, column in zip(COLUMNS, values, strict=True):
        rows[name] = column
    return rows


def _unit_us(at_us: NDArray[np.int64]) -> int:
    return next(unit for unit in _UNITS_US if not (at_us % unit).any())


def _differences(values: NDArray[np.int64], firsts: NDArray[np.int64]) -> NDArray[np.int64]:
    differences = np.diff(values, prepend=0)
    differences[firsts] = values[firsts]
    return differences


def _zigzag(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def _unzigzag(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    halves = (numbers >> np.uint64(1)).astype(np.int64)
    signs = (numbers & np.uint64(1)).astype(np.int64)
    return halves ^ -signs


def _varints(numbers: NDArray[np.uint64], bounds: Sequence[int]) -> list[bytes]:
    """The numbers as varints, cut at `bounds` (places of numbers)."""
    sizes = np.ones(len(numbers), dtype=np.int64)
    for more in range(1, _LONGEST):
        sizes += numbers >= np.uint64(1) << np.uint64(7 * more)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    octets = np.empty(ends[-1], dtype=np.uint8)
    wanting = np.arange(len(numbers))
    for place in range(_LONGEST):
        wanting = wanting[sizes[wanting] > place]
        bits = (numbers[wanting] >> np.uint64(7 * place)).astype(np.uint8) & 0x7F
        octets[ends[wanting] + place] = bits | np.where(sizes[wanting] > place + 1, 0x80, 0)
    whole = octets.tobytes()
    cuts = ends[np.asarray(bounds)]
    return [whole[a:b] for a, b in pairwise(cuts)]


def _numbers(streams: Sequence[bytes]) -> tuple[NDArray[np.int64], list[int]]:
    """All numbers of some streams of varints, and the places at which each stream's begin."""
    octets = np.frombuffer(b"".join(streams), dtype=np.uint8)
    sizes = np.cumsum([0, *(len(stream) for stream in streams)])
    is_last = octets < 0x80
    if not all(len(stream) and stream[-1] < 0x80 for stream in streams):
        raise ChunkBroken("the last number does not end")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends + 1])[:-1]
    lengths = ends - starts + 1
    if len(lengths) and lengths.max() > _LONGEST:
        raise ChunkBroken("a number is too long")
    numbers: NDArray[np.uint64] = (octets[starts] & 0x7F).astype(np.uint64)
    # Most numbers have one byte: each further one is looked at only where there is one.
    wanting = np.flatnonzero(lengths > 1)
    for place in range(1, _LONGEST):
        if not len(wanting):
            break
        bits = (octets[starts[wanting] + place] & 0x7F).astype(np.uint64)
        numbers[wanting] |= bits << np.uint64(7 * place)
        wanting = wanting[lengths[wanting] > place + 1]
    return _unzigzag(numbers), np.searchsorted(ends, sizes).tolist()
