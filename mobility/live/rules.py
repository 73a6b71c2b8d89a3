"""From what the city looks like to the bytes of a server-sent event. Pure.

Vehicles travel in columns, each under a small number that its snapshot gave it. What many share (kind, state, blocks
…) is a face, told once. A second in which a thousand vehicles move is then some twenty kilobytes, and takes less than
a millisecond to write, once for everybody who sees the same picture.
"""

import dataclasses
import gzip
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

Row = tuple[Any, ...]
Rows = Mapping[Any, Row]

# One vehicle of a picture: its number in this process, millionths of a degree, degrees or -1, per cent or -1, the
# minute (Unix time) in which it was last heard, its face. In the order of `n`.
VEHICLE = np.dtype(
    [
        ("n", "=i4"),
        ("lon", "=i4"),
        ("lat", "=i4"),
        ("heading", "=i2"),
        ("battery_pct", "=i2"),
        ("seen", "=i4"),
        ("face", "=i4"),
    ]
)
MOVING = ("lon", "lat", "heading", "battery_pct", "seen")

# The values of a face, by audience.
PUBLIC_FACE = ("kind",)
STAFF_FACE = (
    "kind",
    "state",
    "life_state",
    "rental_state",
    "link_state",
    "blocks",
    "rentable",
    "organisation",
)
SITE = (
    "id",
    "lon",
    "lat",
    "name",
    "available",
    "occupied",
    "faulted",
    "offline",
    "total",
    "organisation",
)

ALIVE = b": alive\n\n"
RENEW = b"event: renew\ndata: {}\n\n"
# What every gzip stream begins with; what follows are blocks that need nothing that came before them.
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def no_vehicles() -> NDArray[np.void]:
    """A picture's vehicles when there are none."""
    return np.empty(0, dtype=VEHICLE)


@dataclasses.dataclass(frozen=True)
class Picture:
    """What one audience sees at one moment.

    `vehicles` are rows of `VEHICLE`; `faces` and `labels` know all that is spoken of: the values of a face in the order
    of `face_columns`, and the id and code of a vehicle's number.
    """

    at: str
    vehicles: NDArray[np.void] = dataclasses.field(default_factory=no_vehicles)
    faces: Sequence[Row] = ()
    labels: Sequence[tuple[Any, str]] = ()
    sites: Rows = dataclasses.field(default_factory=dict)
    face_columns: tuple[str, ...] = PUBLIC_FACE


def encode_snapshot(picture: Picture) -> bytes:
    """Everything, with the names of the columns."""
    return _event("snapshot", snapshot_body(picture))


def snapshot_body(picture: Picture) -> bytes:
    """Everything, as JSON."""
    return _json(
        {
            "at": picture.at,
            "columns": {"face": picture.face_columns, "sites": SITE},
            "faces": _faces(picture, picture.vehicles),
            "vehicles": _whole(picture, picture.vehicles),
            "sites": list(picture.sites.values()),
        }
    )


@dataclasses.dataclass(frozen=True)
class Still:
    """A picture for readers without a stream: as JSON, the same gzipped, and what names its content."""

    body: bytes
    zipped: bytes
    etag: bytes


def still_of(picture: Picture) -> Still:
    """Everything, written and compressed. The name leaves out the time, which every picture has anew."""
    body = snapshot_body(picture)
    return Still(
        body=body,
        zipped=gzip.compress(body, compresslevel=1),
        etag=b'"%08x"' % zlib.crc32(body[body.index(b",") :]),
    )


def encode_delta(*, before: Picture, after: Picture) -> bytes:
    """What has to be done to `before` to see `after`; empty when nothing changed.

    `came` has every column, `moved` differences to the last place and number, `turned` new faces, `gone` numbers.
    """
    old, new, came, gone = _matched(before.vehicles, after.vehicles)
    moved = _any_differs(old, new, MOVING)
    turned = old["face"] != new["face"]
    told = {
        "faces": _faces(after, new[turned], came),
        "came": _whole(after, came) if len(came) else None,
        "moved": _steps(old[moved], new[moved]) if moved.any() else None,
        "turned": _columns(new[turned], ("n", "face")) if turned.any() else None,
        "gone": gone,
        "sites": [row for key, row in after.sites.items() if before.sites.get(key) != row],
        "sites_gone": [key for key in before.sites if key not in after.sites],
    }
    changes = {name: value for name, value in told.items() if value is not None and len(value)}
    return _event("delta", _json({"at": after.at, **changes})) if changes else b""


def packed(frame: bytes) -> bytes:
    """A frame as blocks of a gzip stream, good for anybody at any place in it, so packed once for all.

    A fresh compressor refers to nothing before, and a full flush ends on a whole byte.
    """
    if not frame:
        return b""
    press = zlib.compressobj(level=1, wbits=-zlib.MAX_WBITS)
    return press.compress(frame) + press.flush(zlib.Z_FULL_FLUSH)


def _matched(
    before: NDArray[np.void], after: NDArray[np.void]
) -> tuple[NDArray[np.void], NDArray[np.void], NDArray[np.void], NDArray[np.int32]]:
    """Rows that are in both, side by side; rows that came; numbers that are gone."""
    if np.array_equal(before["n"], after["n"]):
        return before, after, no_vehicles(), np.empty(0, dtype=np.int32)
    _both, here, there = np.intersect1d(
        before["n"], after["n"], assume_unique=True, return_indices=True
    )
    came, gone = np.ones(len(after), dtype=bool), np.ones(len(before), dtype=bool)
    came[there], gone[here] = False, False
    return before[here], after[there], after[came], np.ascontiguousarray(before["n"][gone])


def _any_differs(
    old: NDArray[np.void], new: NDArray[np.void], names: Sequence[str]
) -> NDArray[np.bool_]:
    differs = np.zeros(len(old), dtype=bool)
    for name in names:
        differs |= old[name] != new[name]
    return differs


def _steps(old: NDArray[np.void], new: NDArray[np.void]) -> dict[str, NDArray[Any]]:
    """Small numbers are short: steps from number to number and from place to place."""
    return {
        **_columns(new, ("heading", "battery_pct")),
        "n": np.diff(new["n"], prepend=np.int32(0)),
        "lon": new["lon"] - old["lon"],
        "lat": new["lat"] - old["lat"],
        "seen": new["seen"] - old["seen"],
    }


def _whole(picture: Picture, rows: NDArray[np.void]) -> dict[str, Any]:
    named = [picture.labels[number] for number in rows["n"].tolist()]
    return {
        **_columns(rows, VEHICLE.names or ()),
        "id": [public_id for public_id, _code in named],
        "code": [code for _public_id, code in named],
    }


def _columns(rows: NDArray[np.void], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    return {name: np.ascontiguousarray(rows[name]) for name in names}


def _faces(picture: Picture, *parts: NDArray[np.void]) -> dict[int, Row]:
    """The faces that these rows have."""
    spoken = {int(number) for rows in parts for number in np.unique(rows["face"])}
    return {number: picture.faces[number] for number in sorted(spoken)}


def _json(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body, option=_OPTIONS)


def _event(name: str, body: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), body)
