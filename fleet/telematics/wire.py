"""The JSON of reports, over HTTP and MQTT: its shapes, and their translation into points.

Read strictly at first, which is fast. What fails is read once more by the standard library, which
understands `NaN`, `Infinity` and numbers too large, so that each costs its point and not the report.
Of a key that comes twice the last one counts.
"""

from __future__ import annotations

import datetime
import json
import uuid
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

import msgspec
import numpy as np
import zstandard
from django.utils.translation import gettext_lazy as _
from msgspec import Meta

from fleet.telematics import records
from mobility.core.errors import DomainError, Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fleet.telematics.records import Points

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_POINTS = 5_000
# Each answer is a transaction of its own, and no vehicle has so many commands.
MAX_ACKS = 100

_KMH_TO_CMS = 100 / 3.6
# From so many points on columns pay for themselves.
_MANY = 32
# 9999-12-31 in milliseconds: the last moment a calendar here can name.
_LAST_MS = 253_402_300_799_999

EpochMs = Annotated[int, Meta(ge=0, le=_LAST_MS)]
Instant = Annotated[datetime.datetime, Meta(tz=True)]
# Latitude is only bounded by what fits: a wrong one is kept aside with its reason, not lost here.
Degrees = Annotated[float, Meta(ge=-180, le=180)]
# Without what no database can be asked for: NUL and halves of surrogate pairs.
Name = Annotated[str, Meta(max_length=40, pattern=r"^[^\u0000\ud800-\udfff]*$")]


class PointIn(msgspec.Struct, frozen=True):
    """One report. `at` is RFC 3339 with an offset, or milliseconds since 1970."""

    at: Instant | EpochMs
    lat: Degrees
    lon: Degrees
    speed_kmh: Annotated[float, Meta(ge=0, le=1000)] | None = None
    heading_deg: Annotated[float, Meta(ge=0, le=360)] | None = None
    battery_pct: Annotated[float, Meta(ge=0, le=100)] | None = None
    odometer_m: Annotated[float, Meta(ge=0, le=2_000_000_000)] | None = None
    locked: bool | None = None
    tilted: bool | None = None
    accuracy_m: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None


class NamedPointIn(PointIn, frozen=True):
    """A point from an operator's backend: of the device with a serial, or of the vehicle with a code."""

    device: Name | None = None
    vehicle: Name | None = None


class AckIn(msgspec.Struct, frozen=True):
    """What became of a command."""

    command: uuid.UUID
    result: Literal["accepted", "confirmed", "rejected"]
    at: Instant | EpochMs | None = None


class ReportIn(msgspec.Struct, frozen=True):
    """A whole request; its points are looked at one by one if they do not fit together."""

    points: list[PointIn] = []
    acks: list[AckIn] = []


class BatchIn(msgspec.Struct, frozen=True):
    """What an operator's backend sends for its fleet."""

    points: list[NamedPointIn] = []
    acks: list[AckIn] = []


class _LooseReport(msgspec.Struct, frozen=True):
    points: list[Any] = []
    acks: list[Any] = []


class Rejected(msgspec.Struct, frozen=True):
    """One item of a request that could not be taken, and why; `index` counts in its own list."""

    index: int
    code: str
    detail: str
    item: Literal["point", "ack"] = "point"


class CommandOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """A command that waits for the vehicle. Obey only a sequence above the last one obeyed.

    `vehicle` is told to an operator's backend only.
    """

    id: str
    sequence: int
    kind: str
    expires_at: datetime.datetime
    parameters: dict[str, Any] = {}
    vehicle: str | None = None


class ReportOut(msgspec.Struct, frozen=True):
    """The answer to a report."""

    accepted: int
    rejected: list[Rejected]
    commands: list[CommandOut]
    report_again_s: int


class ReportMalformed(Invalid):
    code = "report_malformed"
    message = _("This is not a telemetry report: %(reason)s")


class ReportTooLarge(DomainError):
    code = "report_too_large"
    status = 413
    message = _("Send at most 5,000 points and 5 MB at once.")


class EncodingUnsupported(DomainError):
    code = "encoding_unsupported"
    status = 415
    message = _("Send the report as it is, or as gzip or zstd.")


class NothingUsable(Invalid):
    code = "nothing_usable"
    message = _("Not one point of this report could be taken; each one says why.")


Point = TypeVar("Point", bound=PointIn)
Item = TypeVar("Item", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True)
class Read(Generic[Point]):
    """A request as understood. Items keep the place they had in their list of the request."""

    points: list[Point] = field(default_factory=list)
    point_places: list[int] | range = range(0)
    acks: list[AckIn] = field(default_factory=list)
    ack_places: list[int] | range = range(0)
    rejected: list[Rejected] = field(default_factory=list)


_decoders: dict[type[PointIn], msgspec.json.Decoder[Any]] = {
    PointIn: msgspec.json.Decoder(ReportIn),
    NamedPointIn: msgspec.json.Decoder(BatchIn),
}


def unpack(body: bytes, *, encoding: str) -> bytes:
    """The body behind its content encoding, never more than `MAX_BODY_BYTES` of it.

    Raises `EncodingUnsupported`, `ReportMalformed` (also when it breaks off), `ReportTooLarge`.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    unpacker = _UNPACKERS.get(encoding)
    if unpacker is None:
        raise EncodingUnsupported
    try:
        plain, complete = unpacker(body)
    except (zlib.error, zstandard.ZstdError) as error:
        raise ReportMalformed(reason=encoding) from error
    if len(plain) > MAX_BODY_BYTES:
        raise ReportTooLarge
    if not complete:
        raise ReportMalformed(reason=f"{encoding} breaks off")
    return plain


def _gunzip(body: bytes) -> tuple[bytes, bool]:
    unpacker = zlib.decompressobj(wbits=31)
    return unpacker.decompress(body, MAX_BODY_BYTES + 1), unpacker.eof


def _unzstd(body: bytes) -> tuple[bytes, bool]:
    # What a frame claims about its size is not believed: only so much is ever unpacked.
    with zstandard.ZstdDecompressor(max_window_size=1 << 23).stream_reader(body) as reader:
        plain = reader.read(MAX_BODY_BYTES + 1)
    return plain, True


_UNPACKERS = {"gzip": _gunzip, "x-gzip": _gunzip, "zstd": _unzstd}


def read_report(body: bytes) -> Read[PointIn]:
    """What a device says. Raises `ReportMalformed`, `ReportTooLarge`."""
    return _read(body, PointIn)


def read_batch(body: bytes) -> Read[NamedPointIn]:
    """What an operator's backend says. Raises `ReportMalformed`, `ReportTooLarge`."""
    return _read(body, NamedPointIn)


def pack(points: Sequence[PointIn]) -> Points:
    """The points in their packed form; many at once by columns, at half the cost of rows."""
    if len(points) < _MANY:
        return records.points_from([_row(point) for point in points])
    # As tuples in the order of `PointIn`, turned on their side: no look-up of a name per value.
    rows = [msgspec.structs.astuple(point) for point in points]
    columns = dict(zip(PointIn.__struct_fields__, zip(*rows, strict=True), strict=False))
    packed = np.empty(len(points), dtype=records.POINT)
    packed["at_us"] = _moments(columns["at"])
    packed["lon_e7"] = np.rint(np.array(columns["lon"]) * 1e7)
    packed["lat_e7"] = np.rint(np.array(columns["lat"]) * 1e7)
    packed["odometer_m"] = np.trunc(_told(columns["odometer_m"]))
    accuracy_dm = _told(columns["accuracy_m"], factor=10.0)
    packed["accuracy_dm"] = np.minimum(np.rint(accuracy_dm), 32_767)
    packed["speed_cms"] = np.rint(_told(columns["speed_kmh"], factor=_KMH_TO_CMS))
    heading = np.rint(_told(columns["heading_deg"]))
    packed["heading"] = np.where(heading < 0, -1, heading % 360)
    packed["battery_pct"] = np.rint(_told(columns["battery_pct"]))
    packed["locked"] = _told(columns["locked"])
    packed["tilted"] = _told(columns["tilted"])
    return packed


def _read(body: bytes, shape: type[Point]) -> Read[Point]:
    """One bad point costs only itself: all at once, and only if that fails each point alone."""
    try:
        report = _decoders[shape].decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return _read_one_by_one(body, shape)
    _require_size(report)
    return Read(
        points=report.points,
        point_places=range(len(report.points)),
        acks=report.acks,
        ack_places=range(len(report.acks)),
    )


def _read_one_by_one(body: bytes, shape: type[Point]) -> Read[Point]:
    try:
        report = msgspec.convert(json.loads(body), _LooseReport)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors too
        raise ReportMalformed(reason=str(error)) from error
    _require_size(report)
    points, point_places, bad_points = _each(report.points, shape, "point")
    acks, ack_places, bad_acks = _each(report.acks, AckIn, "ack")
    return Read(
        points=points,
        point_places=point_places,
        acks=acks,
        ack_places=ack_places,
        rejected=[*bad_points, *bad_acks],
    )


def _each(
    values: list[Any],
    shape: type[Item],
    item: Literal["point", "ack"],
) -> tuple[list[Item], list[int], list[Rejected]]:
    good: list[Item] = []
    places, rejected = [], []
    for index, value in enumerate(values):
        try:
            good.append(msgspec.convert(value, shape))
        except ValueError as error:
            rejected.append(Rejected(index, f"{item}_malformed", str(error), item))
        else:
            places.append(index)
    return good, places, rejected


def _require_size(report: ReportIn | BatchIn | _LooseReport) -> None:
    if len(report.points) > MAX_POINTS or len(report.acks) > MAX_ACKS:
        raise ReportTooLarge


def _told(values: tuple[Any, ...], *, factor: float = 1.0) -> NDArray[np.float64]:
    """A column times `factor`, −1 where nothing was told."""
    if None not in values:
        return np.array(values, dtype=np.float64) * factor
    column = np.array([-1.0 if value is None else value for value in values], dtype=np.float64)
    return np.where(column < 0, -1.0, column * factor)


def _moments(values: tuple[datetime.datetime | int, ...]) -> Any:
    """A column of moments in µs since 1970."""
    if set(map(type, values)) == {int}:
        return np.array(values, dtype=np.int64) * 1000
    return [_at_us(at) for at in values]


def _at_us(at: datetime.datetime | int) -> int:
    return at * 1000 if isinstance(at, int) else records.to_us(at)


def _row(point: PointIn) -> tuple[Any, ...]:
    return (
        _at_us(point.at),
        round(point.lon * 1e7),
        round(point.lat * 1e7),
        -1 if point.odometer_m is None else int(point.odometer_m),
        -1 if point.accuracy_m is None else min(round(point.accuracy_m * 10), 32_767),
        -1 if point.speed_kmh is None else round(point.speed_kmh * _KMH_TO_CMS),
        -1 if point.heading_deg is None else round(point.heading_deg) % 360,
        -1 if point.battery_pct is None else round(point.battery_pct),
        -1 if point.locked is None else int(point.locked),
        -1 if point.tilted is None else int(point.tilted),
    )


def inlined_schema(shape: type) -> dict[str, Any]:
    """The JSON Schema of a shape without references, as an OpenAPI document can take it in."""
    (schema,), parts = msgspec.json.schema_components([shape], ref_template="{name}")
    inlined: dict[str, Any] = _inline(schema, parts)
    return inlined


def _inline(node: Any, parts: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_inline(item, parts) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inline(parts[node["$ref"]], parts)
    return {key: _inline(value, parts) for key, value in node.items()}
