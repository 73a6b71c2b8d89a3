"""How every vehicle stands now, as columns: for whoever looks at all of them each second.

One COPY in PostgreSQL's binary format, read by numpy without a Python object for any vehicle: ten
thousand of them cost some eight milliseconds, where rows of the ORM would cost two hundred.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from fleet.vehicles import mds, rules
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import BlockReason, Kind, LifeState, LinkState, RentalState

KINDS = tuple(Kind.values)
LIVES = tuple(LifeState.values)
RENTALS = tuple(RentalState.values)
LINKS = tuple(LinkState.values)
BLOCKS = tuple(BlockReason.values)
ON_THE_MAP = (LifeState.IN_SERVICE, LifeState.MISSING, LifeState.STOLEN)

UNKNOWN = -1
_EPOCH_2000_S = 946_684_800  # PostgreSQL counts its microseconds from here

# Name, type of PostgreSQL, type on the wire (big-endian), how it is asked for; never NULL, so that
# every row has the same width.
_COLUMNS = (
    ("vehicle_id", "bigint", ">i8", "vehicle.id"),
    ("organisation_id", "bigint", ">i8", "vehicle.organisation_id"),
    ("at_us", "timestamptz", ">i8", "latest.at"),
    ("lon_e7", "int", ">i4", "latest.lon_e7"),
    ("lat_e7", "int", ">i4", "latest.lat_e7"),
    ("heading", "smallint", ">i2", f"coalesce(latest.heading, {UNKNOWN})"),
    ("battery_pct", "smallint", ">i2", f"coalesce(latest.battery_pct, {UNKNOWN})"),
    ("kind", "smallint", ">i2", "{KINDS} type.kind"),
    ("life", "smallint", ">i2", "{LIVES} vehicle.life_state"),
    ("rental", "smallint", ">i2", "{RENTALS} vehicle.rental_state"),
    ("link", "smallint", ">i2", "{LINKS} vehicle.link_state"),
    ("outside", "smallint", ">i2", "(vehicle.outside_since IS NOT NULL)::int"),
    ("blocks", "int", ">i4", "coalesce(blocks.mask, 0)"),
)
_HEADER_BYTES = 19  # signature, flags, length of the extension
_TRAILER_BYTES = 2

_WIRE = np.dtype(
    [
        ("fields", ">i2"),
        *(
            part
            for name, _type, wire, _sql in _COLUMNS
            for part in ((f"{name}_length", ">i4"), (name, wire))
        ),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Face:
    """All about a vehicle but where it is: equal for many, so said once for all of them."""

    kind: str
    state: str
    life_state: str
    rental_state: str
    link_state: str
    blocks: tuple[str, ...]
    rentable: bool


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a vehicle is called. Hardly ever changed: who keeps it shows a new code after a restart."""

    public_id: UUID
    code: str


def read_standing() -> NDArray[np.void]:
    """Every vehicle that stands in the city and was ever heard, in the order of ids; one query.

    Columns of `_COLUMNS`; `at_us` is Unix time in microseconds, `kind`, `life`, `rental` and `link`
    are places in `KINDS`, `LIVES`, `RENTALS` and `LINKS`, `blocks` has a bit for each of `BLOCKS`.
    """
    connection.ensure_connection()
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        body = b"".join(copy)
    rows = np.frombuffer(body[_HEADER_BYTES : len(body) - _TRAILER_BYTES], dtype=_WIRE)
    standing = np.empty(len(rows), dtype=_NATIVE)
    for name, *_rest in _COLUMNS:
        standing[name] = rows[name]
    standing["at_us"] += _EPOCH_2000_S * 1_000_000
    return standing


def faces(standing: NDArray[np.void]) -> NDArray[np.int64]:
    """One number for each vehicle; equal numbers are equal faces."""
    packed = standing["blocks"].astype(np.int64)
    for name in ("outside", "link", "rental", "life", "kind"):
        packed = packed << 4 | standing[name]
    return packed


def face(packed: int) -> Face:
    """What stands behind a number of `faces`."""
    parts = [packed >> shift & 15 for shift in (0, 4, 8, 12, 16)]
    mask = packed >> 20
    kind, life, rental, link = (
        words[part] for words, part in zip((KINDS, LIVES, RENTALS, LINKS), parts, strict=False)
    )
    blocks = frozenset(reason for bit, reason in enumerate(BLOCKS) if mask >> bit & 1)
    condition = mds.Condition(
        kind=kind, life=life, rental=rental, link=link, blocks=blocks, outside=bool(parts[4])
    )
    return Face(
        kind=kind,
        state=mds.mds_state(condition).value,
        life_state=life,
        rental_state=rental,
        link_state=link,
        blocks=tuple(sorted(blocks)),
        rentable=rules.is_rentable(life=life, rental=rental, link=link, blocks=blocks),
    )


def labels(vehicle_ids: Collection[int]) -> dict[int, Label]:
    """The names of these vehicles; one query."""
    named = Vehicle.objects.filter(pk__in=vehicle_ids).values_list("pk", "public_id", "code")
    return {pk: Label(public_id=public_id, code=code) for pk, public_id, code in named}


_NATIVE = np.dtype([(name, wire.replace(">", "=")) for name, _type, wire, _sql in _COLUMNS])


def _place(sql: str) -> str:
    """Where a word stands in its list, from zero: `{KINDS} type.kind`."""
    for name, words in (
        ("{KINDS}", KINDS),
        ("{LIVES}", LIVES),
        ("{RENTALS}", RENTALS),
        ("{LINKS}", LINKS),
    ):
        if sql.startswith(name):
            return f"array_position({_array(words)}, {sql.removeprefix(name)}) - 1"
    return sql


def _array(words: Collection[str]) -> str:
    return "ARRAY[" + ", ".join(f"'{word}'" for word in words) + "]::varchar[]"


# Every word in it is ours: names of columns and of our own choices.
_COPY = (
    "COPY (SELECT "  # noqa: S608
    + ", ".join(f"({_place(sql)})::{kind}" for _name, kind, _wire, sql in _COLUMNS)
    + " FROM fleet_vehicle vehicle"  # noqa: S608
    " JOIN fleet_vehicletype type ON type.id = vehicle.type_id"
    " JOIN fleet_lateststate latest ON latest.vehicle_id = vehicle.id"
    " LEFT JOIN (SELECT vehicle_id,"
    f" bit_or(1 << (array_position({_array(BLOCKS)}, reason) - 1)) AS mask"
    " FROM fleet_vehicleblock WHERE until IS NULL GROUP BY vehicle_id"
    ") blocks ON blocks.vehicle_id = vehicle.id"
    f" WHERE vehicle.life_state = ANY ({_array(ON_THE_MAP)})"
    " ORDER BY vehicle.id) TO STDOUT (FORMAT BINARY)"
)
