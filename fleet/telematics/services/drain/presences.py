"""What the drain remembers of a vehicle from one batch to the next; written only when it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection

from fleet.telematics import records
from fleet.telematics.rules.jumps import NEVER, Fix
from fleet.telematics.rules.watch import Pace, Parked

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

# In this order the columns come out of `SELECTED` and go into `_UPSERT`.
_COLUMNS = (
    ("stored_until", "timestamptz"),
    ("zones_version", "bigint"),
    ("zones", "bigint[]"),
    ("wavering", "bigint[]"),
    ("outside", "boolean"),
    ("anchor_lon_e7", "int"),
    ("anchor_lat_e7", "int"),
    ("away", "smallint"),
    ("rest_lon_e7", "int"),
    ("rest_lat_e7", "int"),
    ("rest_since", "timestamptz"),
    ("tilts", "smallint"),
    ("fast_since", "timestamptz"),
    ("slow_since", "timestamptz"),
    ("doubt_at", "timestamptz"),
    ("doubt_lon_e7", "int"),
    ("doubt_lat_e7", "int"),
)
COLUMNS = tuple(name for name, _type in _COLUMNS)

# Arrays travel as text: an array of arrays cannot have rows of different length.
_SENT = {"bigint[]": "text"}
_UPSERT = f"""
INSERT INTO fleet_vehiclepresence AS known (vehicle_id, at, {", ".join(COLUMNS)})
SELECT vehicle_id, %s, {", ".join(f"{name}::{kind}" for name, kind in _COLUMNS)}
FROM unnest(%s::bigint[], {", ".join(f"%s::{_SENT.get(kind, kind)}[]" for _n, kind in _COLUMNS)})
    AS news (vehicle_id, {", ".join(COLUMNS)})
ORDER BY vehicle_id
ON CONFLICT (vehicle_id) DO UPDATE SET at = EXCLUDED.at,
    {", ".join(f"{name} = EXCLUDED.{name}" for name in COLUMNS)}
"""  # noqa: S608 - constants


_LOCK = """
SELECT vehicle_id, at FROM fleet_vehiclepresence
WHERE vehicle_id = ANY (%s) ORDER BY vehicle_id FOR NO KEY UPDATE
"""


@dataclass(kw_only=True)
class Presence:
    """One vehicle's memory; `touched` says that it must be written."""

    vehicle_id: int
    read_at: datetime.datetime | None = None
    stored_until_us: int = NEVER
    zones_version: int = 0
    zones: list[int] = field(default_factory=list)
    wavering: list[int] = field(default_factory=list)
    outside: bool | None = None
    parked: Parked = field(default_factory=Parked)
    tilts: int = 0
    pace: Pace = field(default_factory=Pace)
    doubt: Fix | None = None
    touched: bool = False

    def become(self, **changes: Any) -> None:
        """Take these values; the row is written only if any of them is new."""
        for name, value in changes.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                self.touched = True


def presence_from(vehicle_id: int, row: tuple[Any, ...], *, ridden_since: bool) -> Presence:
    """A presence from when it was written and the values of `COLUMNS`; all of them None where there is no row yet.

    `ridden_since`: somebody had the vehicle after this was written, and it may have told nothing
    of it; where it was parked before says nothing now.
    """
    if row[0] is None:
        return Presence(vehicle_id=vehicle_id)
    read_at, row = row[0], row[1:]
    stored, version, zones, wavering, outside, lon, lat, away = row[:8]
    rest_lon, rest_lat, rest_since, tilts, fast, slow, doubt_at, doubt_lon, doubt_lat = row[8:]
    anchor = None if lon is None else Fix(0, lon, lat)
    rest = None if rest_since is None else Fix(records.to_us(rest_since), rest_lon, rest_lat)
    doubt = None if doubt_at is None else Fix(records.to_us(doubt_at), doubt_lon, doubt_lat)
    presence = Presence(
        vehicle_id=vehicle_id,
        read_at=read_at,
        stored_until_us=NEVER if stored is None else records.to_us(stored),
        zones_version=version,
        zones=zones,
        wavering=wavering,
        outside=outside,
        parked=Parked(anchor=anchor, away=away, rest=rest),
        tilts=tilts,
        pace=Pace(
            fast_since_us=None if fast is None else records.to_us(fast),
            slow_since_us=None if slow is None else records.to_us(slow),
        ),
        doubt=doubt,
    )
    if ridden_since:
        presence.become(parked=Parked())
    return presence


def write_presences(presences: Collection[Presence], *, at: Any) -> None:
    """Write those that changed, in two statements.

    Where somebody else has written since they were read (staff who closed an alarm: the vehicle is
    parked where it is), what is remembered of the parked vehicle is forgotten once more.
    """
    touched = [presence for presence in presences if presence.touched]
    if not touched:
        return
    written = _locked([presence.vehicle_id for presence in touched])
    for presence in touched:
        if written.get(presence.vehicle_id) != presence.read_at:
            presence.parked = Parked()
    columns = zip(*(_values(presence) for presence in touched), strict=True)
    with connection.cursor() as cursor:
        ids = [presence.vehicle_id for presence in touched]
        cursor.execute(_UPSERT, [at, ids, *(list(column) for column in columns)])


def _locked(vehicle_ids: list[int]) -> dict[int, datetime.datetime]:
    """When each of these was last written; nobody writes them until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [vehicle_ids])
        return dict(cursor.fetchall())


def _values(presence: Presence) -> tuple[Any, ...]:
    anchor, rest, doubt = presence.parked.anchor, presence.parked.rest, presence.doubt
    return (
        _moment(None if presence.stored_until_us == NEVER else presence.stored_until_us),
        presence.zones_version,
        _array(presence.zones),
        _array(presence.wavering),
        presence.outside,
        *((anchor.lon_e7, anchor.lat_e7) if anchor else (None, None)),
        presence.parked.away,
        *((rest.lon_e7, rest.lat_e7, _moment(rest.at_us)) if rest else (None, None, None)),
        presence.tilts,
        _moment(presence.pace.fast_since_us),
        _moment(presence.pace.slow_since_us),
        *((_moment(doubt.at_us), doubt.lon_e7, doubt.lat_e7) if doubt else (None, None, None)),
    )


def _moment(us: int | None) -> Any:
    return None if us is None else records.from_us(us)


def _array(ids: list[int]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"
