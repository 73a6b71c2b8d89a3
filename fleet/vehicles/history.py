"""The state history: one row per change, with the public state and events derived from it.

Loading and writing are SQL: they are part of every verb on a vehicle, and building the same few
statements anew through the ORM would cost several times what the database needs to run them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from fleet.vehicles import mds
from fleet.vehicles.models import Vehicle, VehicleHold
from mobility.core import ids
from mobility.core.transitions import Left, move

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterable, Sequence

    from fleet.vehicles.states import RentalState
    from mobility.core.outbox import Event
    from mobility.core.principals import Principal

_VEHICLE_FIELDS = (
    "id",
    "public_id",
    "life_state",
    "rental_state",
    "link_state",
    "outside_since",
)
_HOLD_FIELDS = ("id", "vehicle_id", "during", "purpose", "holder_ref", "released_at", "ahead")

_SELECT = """
SELECT vehicle.id, vehicle.public_id, vehicle.life_state, vehicle.rental_state, vehicle.link_state,
       vehicle.outside_since, type.kind, latest.lon_e7, latest.lat_e7, latest.battery_pct,
       ARRAY(SELECT reason FROM fleet_vehicleblock
             WHERE vehicle_id = vehicle.id AND until IS NULL ORDER BY reason)
"""
_FROM = """
FROM fleet_vehicle vehicle
JOIN fleet_vehicletype type ON type.id = vehicle.type_id
LEFT JOIN fleet_lateststate latest ON latest.vehicle_id = vehicle.id
"""
_LOAD = f"{_SELECT}{_FROM} WHERE vehicle.id = ANY (%s) ORDER BY vehicle.id"
# The vehicle's row is the one lock of a vehicle with all its holds. It is taken before anything is
# read that is judged or told: a locking SELECT re-reads a row that changed, but not the subquery
# that collects its blocks. Many are locked in the order of their ids.
_LOCK = "SELECT id FROM fleet_vehicle WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE"
# A hold never changes its vehicle, so that it may be followed before the lock.
_LOCK_HELD = """
SELECT id FROM fleet_vehicle
WHERE id = (SELECT vehicle_id FROM fleet_vehiclehold WHERE id = %s) FOR NO KEY UPDATE
"""
_LOAD_HELD = (
    f"{_SELECT}, hold.id, hold.vehicle_id, hold.during, hold.purpose, hold.holder_ref,"
    f" hold.released_at, hold.ahead {_FROM} JOIN fleet_vehiclehold hold ON hold.vehicle_id = vehicle.id"
    " WHERE hold.id = %s"
)
_TABLE = "fleet_vehicleevent"
_COLUMNS = (
    "public_id",
    "vehicle_id",
    "at",
    "mds_state",
    "mds_events",
    "life_state",
    "rental_state",
    "link_state",
    "blocks",
    "outside",
    "lon",
    "lat",
    "battery_pct",
    "trip_ref",
    "by",
)
_ROW = f"({', '.join(['%s'] * len(_COLUMNS))})"
_INSERT = f"INSERT INTO {_TABLE} ({', '.join(_COLUMNS)}) VALUES "  # noqa: S608 - constants


@dataclass(kw_only=True)
class Subject:
    """A vehicle about to change, with what the history will say of it.

    `vehicle` carries only its id, public id, states and `outside_since`; `before` is how it was when loaded.
    """

    vehicle: Vehicle
    kind: str
    blocks: frozenset[str]
    lon: float | None
    lat: float | None
    battery_pct: int | None
    before: mds.Condition

    @property
    def condition(self) -> mds.Condition:
        """How the vehicle is by now."""
        return _condition(self.vehicle, self.kind, self.blocks)


def condition_of(vehicle: Vehicle) -> mds.Condition:
    """The condition of a vehicle that was loaded `with_condition()`."""
    return _condition(vehicle, vehicle.kind, frozenset(vehicle.active_blocks))


def load_subjects(vehicle_ids: Collection[int]) -> list[Subject]:
    """These vehicles, as far as they exist, in the order of their ids; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, [list(vehicle_ids)])
        return [_subject(row) for row in cursor.fetchall()]


def lock_subjects(vehicle_ids: Collection[int]) -> list[Subject]:
    """The same, locked for this transaction and then read as they are now; two queries.

    Whoever changes a vehicle, its blocks or its holds begins here, before any other lock.
    """
    lock_vehicles(vehicle_ids)
    return load_subjects(vehicle_ids)


def lock_vehicles(vehicle_ids: Collection[int]) -> None:
    """Lock these vehicles for this transaction, for who judges them by something else; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(vehicle_ids)])


def lock_held(hold_id: int) -> tuple[VehicleHold, Subject] | None:
    """A hold and its vehicle, which is locked first; None if there is no such hold. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_HELD, [hold_id])
        cursor.execute(_LOAD_HELD, [hold_id])
        row = cursor.fetchone()
    if row is None:
        return None
    split = len(row) - len(_HOLD_FIELDS)
    hold = VehicleHold.from_db(connection.alias, _HOLD_FIELDS, row[split:])
    return hold, _subject(row[:split])


def record_changes(
    subjects: Iterable[Subject],
    *,
    at: datetime.datetime,
    by: Principal,
    trip_ref: str = "",
    reason: str = "",
) -> None:
    """Write one history row for each vehicle that is not as it was when loaded; one statement."""
    rows = [
        _event(subject, subject.condition, at=at, by=by, trip_ref=trip_ref, reason=reason)
        for subject in subjects
        if subject.condition != subject.before
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        values = [value for row in rows for value in row]
        cursor.execute(_INSERT + ", ".join([_ROW] * len(rows)), values)


def move_rental(
    subject: Subject,
    *,
    to: RentalState,
    at: datetime.datetime,
    by: Principal,
    trip_ref: str = "",
    reason: str = "",
    tells: Sequence[Event] = (),
) -> None:
    """Move a locked vehicle's rental state, write its history and tell `tells`; one statement."""
    after = dataclasses.replace(subject.condition, rental=to)
    row = _event(subject, after, at=at, by=by, trip_ref=trip_ref, reason=reason)
    move(
        subject.vehicle,
        field="rental_state",
        to=to,
        at=at,
        by=by,
        reason=reason,
        tells=tells,
        leaves=[Left(table=_TABLE, columns=_COLUMNS, values=row)],
    )


def _subject(row: tuple[Any, ...]) -> Subject:
    split = len(_VEHICLE_FIELDS)
    vehicle = Vehicle.from_db(connection.alias, _VEHICLE_FIELDS, row[:split])
    kind, lon_e7, lat_e7, battery_pct, reasons = row[split:]
    blocks = frozenset(reasons)
    return Subject(
        vehicle=vehicle,
        kind=kind,
        blocks=blocks,
        lon=None if lon_e7 is None else lon_e7 / 1e7,
        lat=None if lat_e7 is None else lat_e7 / 1e7,
        battery_pct=battery_pct,
        before=_condition(vehicle, kind, blocks),
    )


def _condition(vehicle: Vehicle, kind: str, blocks: frozenset[str]) -> mds.Condition:
    return mds.Condition(
        kind=kind,
        life=vehicle.life_state,
        rental=vehicle.rental_state,
        link=vehicle.link_state,
        blocks=blocks,
        outside=vehicle.outside_since is not None,
    )


def _event(
    subject: Subject,
    after: mds.Condition,
    *,
    at: datetime.datetime,
    by: Principal,
    trip_ref: str,
    reason: str,
) -> tuple[Any, ...]:
    """The values of one row, in the order of `_COLUMNS`."""
    return (
        ids.uuid7(),
        subject.vehicle.pk,
        at,
        mds.mds_state(after).value,
        list(mds.mds_events(subject.before, after, reason=reason)),
        str(after.life),
        str(after.rental),
        str(after.link),
        sorted(map(str, after.blocks)),
        after.outside,
        subject.lon,
        subject.lat,
        subject.battery_pct,
        trip_ref,
        by,
    )
