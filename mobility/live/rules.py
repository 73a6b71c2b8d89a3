"""From what the city looks like to the bytes of a server-sent event. Pure."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import orjson

Row = tuple[Any, ...]
Rows = Mapping[Any, Row]

# The order of the values in a row; the first one is the key. Told once, in the snapshot.
PUBLIC_VEHICLE = ("id", "code", "kind", "lon", "lat", "battery_pct")
STAFF_VEHICLE = (
    *PUBLIC_VEHICLE,
    "state",
    "life_state",
    "rental_state",
    "link_state",
    "blocks",
    "rentable",
    "heading",
    "reported_at",
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


@dataclasses.dataclass(frozen=True)
class Picture:
    """What one audience sees at one moment."""

    at: str
    vehicles: Rows
    sites: Rows
    vehicle_columns: tuple[str, ...] = PUBLIC_VEHICLE


def encode_snapshot(picture: Picture) -> bytes:
    """Everything, with the names of the columns."""
    return _event(
        "snapshot",
        {
            "at": picture.at,
            "columns": {"vehicles": picture.vehicle_columns, "sites": SITE},
            "vehicles": list(picture.vehicles.values()),
            "sites": list(picture.sites.values()),
        },
    )


def encode_delta(*, before: Picture, after: Picture) -> bytes:
    """What has to be done to `before` to see `after`; empty when nothing changed."""
    changes: dict[str, Any] = {
        "vehicles": _changed(before.vehicles, after.vehicles),
        "vehicles_gone": _gone(before.vehicles, after.vehicles),
        "sites": _changed(before.sites, after.sites),
        "sites_gone": _gone(before.sites, after.sites),
    }
    told = {name: value for name, value in changes.items() if value}
    return _event("delta", {"at": after.at, **told}) if told else b""


def _changed(before: Rows, after: Rows) -> list[Row]:
    return [row for key, row in after.items() if before.get(key) != row]


def _gone(before: Rows, after: Rows) -> list[Any]:
    return [key for key in before if key not in after]


def _event(name: str, body: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(body))
