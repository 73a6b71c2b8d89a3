"""The JSON a device sends and gets over HTTP: its shapes, and their translation into points."""

from __future__ import annotations

import datetime
import uuid
import zlib
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from django.utils.translation import gettext_lazy as _
from msgspec import Meta

from fleet.telematics import records
from mobility.core.errors import DomainError, Invalid

if TYPE_CHECKING:
    from fleet.telematics.records import Points

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_POINTS = 5_000
# Each answer is a transaction of its own, and no vehicle has so many commands.
MAX_ACKS = 100

_KMH_TO_CMS = 100 / 3.6
# 9999-12-31 in milliseconds: the last moment a calendar here can name.
_LAST_MS = 253_402_300_799_999

EpochMs = Annotated[int, Meta(ge=0, le=_LAST_MS)]
Instant = Annotated[datetime.datetime, Meta(tz=True)]
# Latitude is only bounded by what fits: a wrong one is kept aside with its reason, not lost here.
Degrees = Annotated[float, Meta(ge=-180, le=180)]


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


class AckIn(msgspec.Struct, frozen=True):
    """What became of a command."""

    command: uuid.UUID
    result: Literal["accepted", "confirmed", "rejected"]
    at: Instant | EpochMs | None = None


class ReportIn(msgspec.Struct, frozen=True):
    """A whole request; its points are looked at one by one if they do not fit together."""

    points: list[PointIn] = []
    acks: list[AckIn] = []


class _RawReport(msgspec.Struct, frozen=True):
    points: list[msgspec.Raw] = []
    acks: list[msgspec.Raw] = []


class Rejected(msgspec.Struct, frozen=True):
    """One item of a request that could not be taken, and why; `index` counts in its own list."""

    index: int
    code: str
    detail: str
    item: Literal["point", "ack"] = "point"


class CommandOut(msgspec.Struct, frozen=True):
    """A command that waits for the vehicle. Obey only a sequence above the last one obeyed."""

    id: str
    sequence: int
    kind: str
    expires_at: datetime.datetime


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


_report_decoder = msgspec.json.Decoder(ReportIn)
_raw_decoder = msgspec.json.Decoder(_RawReport)
_point_decoder = msgspec.json.Decoder(PointIn)
_ack_decoder = msgspec.json.Decoder(AckIn)

Item = TypeVar("Item", PointIn, AckIn)


def unzip(body: bytes) -> bytes:
    """The body behind gzip, never more than `MAX_BODY_BYTES` of it."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise ReportMalformed(reason="gzip") from error
    if len(plain) > MAX_BODY_BYTES:
        raise ReportTooLarge
    return plain


def read_report(body: bytes) -> tuple[Points, list[AckIn], list[Rejected]]:
    """Points, answers and rejected items of a request.

    One bad point costs only itself: the fast path reads all at once, and only when that fails
    each point is read alone. Raises `ReportMalformed`, `ReportTooLarge`.
    """
    try:
        report = _report_decoder.decode(body)
    except msgspec.ValidationError:
        return _read_one_by_one(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ReportMalformed(reason=str(error)) from error
    _require_size(report)
    return pack(report.points), report.acks, []


def pack(points: list[PointIn]) -> Points:
    """The points in their packed form."""
    return records.points_from([_row(point) for point in points])


def _read_one_by_one(body: bytes) -> tuple[Points, list[AckIn], list[Rejected]]:
    try:
        report = _raw_decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ReportMalformed(reason=str(error)) from error
    _require_size(report)
    points, bad_points = _each(report.points, _point_decoder, "point")
    acks, bad_acks = _each(report.acks, _ack_decoder, "ack")
    return pack(points), acks, [*bad_points, *bad_acks]


def _each(
    raws: list[msgspec.Raw],
    decoder: msgspec.json.Decoder[Item],
    item: Literal["point", "ack"],
) -> tuple[list[Item], list[Rejected]]:
    good, rejected = [], []
    for index, raw in enumerate(raws):
        try:
            good.append(decoder.decode(raw))
        except msgspec.ValidationError as error:
            rejected.append(Rejected(index, f"{item}_malformed", str(error), item))
    return good, rejected


def _require_size(report: ReportIn | _RawReport) -> None:
    if len(report.points) > MAX_POINTS or len(report.acks) > MAX_ACKS:
        raise ReportTooLarge


def _row(point: PointIn) -> tuple[Any, ...]:
    at = point.at
    return (
        at * 1000 if isinstance(at, int) else records.to_us(at),
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
