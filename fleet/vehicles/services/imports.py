"""Vehicles out of a file: looked through row by row first, then written all at once.

DomainError
└── Conflict  SheetOvertaken
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.vehicles import rules
from fleet.vehicles.models import Vehicle, VehicleType
from fleet.vehicles.models.vehicle import PLATE_SHAPE, VIN_SHAPE
from fleet.vehicles.rules import KIND_STAYS, NO_SUCH_HUB
from fleet.vehicles.services.documents import refresh_document_blocks
from fleet.vehicles.sheets import LIST_SEPARATOR
from fleet.vehicles.states import Equipment
from mobility.core import audit
from mobility.core.errors import Conflict
from mobility.core.models import AuditEntry
from mobility.geography.models import Hub

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

    from fleet.vehicles.sheets import SheetRow
    from mobility.core.principals import Principal

_CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,15}")

What = Literal["create", "update", "same", "refused"]


class SheetOvertaken(Conflict):
    code = "sheet_overtaken"
    message = _("Somebody changed these vehicles in the meantime. Look through the file again.")


@dataclass(frozen=True, kw_only=True)
class RowVerdict:
    """What a row of the file would do, or why it cannot: (column, reason) for each cell at fault.

    `hints` do not stop it.
    """

    line: int
    code: str
    what: What
    problems: tuple[tuple[str, Any], ...] = ()
    hints: tuple[tuple[str, Any], ...] = ()
    changes: dict[str, Any] = field(default_factory=dict)
    # What stands there now instead of each change.
    before: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the rows are held against; five queries, however many rows."""

    vehicles: dict[str, Vehicle]
    types: dict[str, VehicleType]
    hubs: dict[str, Hub]
    plates: dict[str, str]
    vins: dict[str, str]


def check_sheet(
    *, rows: Sequence[SheetRow], organisation_id: int, city_id: int
) -> list[RowVerdict]:
    """Judge every row, and change nothing. A vehicle is known by its code.

    A column that the file has not stays as it is; an empty cell empties it. Vehicles of other
    operators are neither changed nor told about, beyond that the code is taken.
    """
    known = _load(rows, city_id=city_id)
    seen = _Seen()
    return [
        _judge(row, known, seen, organisation_id=organisation_id, city_id=city_id) for row in rows
    ]


def fingerprint(verdicts: Sequence[RowVerdict]) -> str:
    """What `check_sheet` found, as a short text: another one means another finding."""
    found = [
        (
            verdict.line,
            verdict.code,
            verdict.what,
            sorted(column for column, _reason in verdict.problems),
            sorted((name, str(value)) for name, value in verdict.changes.items()),
            sorted((name, str(value)) for name, value in verdict.before.items()),
        )
        for verdict in verdicts
    ]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def import_sheet(
    *,
    rows: Sequence[SheetRow],
    organisation_id: int,
    city_id: int,
    at: datetime.datetime,
    by: Principal,
    seen: str | None = None,
) -> list[RowVerdict]:
    """Write every good row in one transaction, leave out those at fault, and say what was done.

    New vehicles are being prepared (`draft`). `seen` is the `fingerprint` of what was shown before.
    The vehicles are locked before they are judged again. Raises `SheetOvertaken`, with nothing
    written, if others changed what the file would change since it was shown, or do so now.
    """
    try:
        with transaction.atomic():
            _lock_named(rows, organisation_id=organisation_id)
            verdicts = check_sheet(rows=rows, organisation_id=organisation_id, city_id=city_id)
            if seen is not None and _would_write(verdicts) and fingerprint(verdicts) != seen:
                raise SheetOvertaken
            written = _write(verdicts, organisation_id=organisation_id, city_id=city_id)
            AuditEntry.objects.bulk_create(
                audit.entry(
                    by=by,
                    action=f"import:{verdict.what}",
                    row=vehicle,
                    at=at,
                    changes={name: str(value) for name, value in verdict.changes.items()},
                )
                for verdict, vehicle in written
            )
            refresh_document_blocks(
                at=at, vehicle_ids=[vehicle.pk for _verdict, vehicle in written]
            )
    except IntegrityError as error:
        raise SheetOvertaken from error
    return verdicts


def _would_write(verdicts: Sequence[RowVerdict]) -> bool:
    """A file that is sent twice finds everything done the second time, and overwrites nothing."""
    return any(verdict.what in {"create", "update"} for verdict in verdicts)


class _Seen:
    """What earlier rows of the same file have claimed: column → value → line."""

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str], int] = {}

    def earlier(self, column: str, value: str, line: int) -> int | None:
        """The line that has this value already; else it is noted for this line."""
        return None if (found := self.lines.setdefault((column, value), line)) == line else found


def _lock_named(rows: Sequence[SheetRow], *, organisation_id: int) -> None:
    codes = {_compact(row.values.get("code", "")) for row in rows}
    named = Vehicle.objects.filter(code__in=codes, organisation=organisation_id)
    list(named.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _compact(cell: str) -> str:
    """Codes, plates and VINs as they are kept: in capitals and without spaces."""
    return "".join(cell.upper().split())


def _load(rows: Sequence[SheetRow], *, city_id: int) -> _Known:
    def cells(column: str) -> set[str]:
        return {_compact(row.values.get(column, "")) for row in rows} - {""}

    vehicles = Vehicle.objects.select_related("type", "home_hub")
    named = vehicles.filter(
        Q(code__in=cells("code")) | Q(plate__in=cells("plate")) | Q(vin__in=cells("vin"))
    )
    found = list(named)
    return _Known(
        vehicles={vehicle.code: vehicle for vehicle in found},
        types={one.code: one for one in VehicleType.objects.all()},
        hubs={hub.code: hub for hub in Hub.objects.filter(city=city_id)},
        plates={vehicle.plate: vehicle.code for vehicle in found if vehicle.plate},
        vins={vehicle.vin: vehicle.code for vehicle in found if vehicle.vin},
    )


def _judge(
    row: SheetRow, known: _Known, seen: _Seen, *, organisation_id: int, city_id: int
) -> RowVerdict:
    code = _compact(row.values.get("code", ""))
    vehicle = known.vehicles.get(code)
    problems = _code_problems(code, vehicle, organisation_id, city_id)
    if (line := seen.earlier("code", code, row.line)) is not None:
        problems.append(("code", _("stands in line %(line)d already") % {"line": line}))
    wanted, faults = _wanted(row, known, seen, code=code)
    problems += faults
    type_ = wanted.get("type")
    if vehicle is not None and type_ is not None and not vehicle.may_become(type_.kind):
        problems.append(("type", KIND_STAYS))
    if vehicle is None and "type" not in wanted and not any(c == "type" for c, _r in faults):
        problems.append(("type", _("a new vehicle needs one")))
    if problems:
        return RowVerdict(line=row.line, code=code, what="refused", problems=tuple(problems))
    changes = {
        name: value
        for name, value in wanted.items()
        if vehicle is None or getattr(vehicle, name) != value
    }
    before = {name: getattr(vehicle, name) for name in changes} if vehicle else {}
    what: What = "create" if vehicle is None else "update" if changes else "same"
    return RowVerdict(
        line=row.line,
        code=code,
        what=what,
        changes=changes,
        before=before,
        hints=_hints(wanted, vehicle),
    )


def _code_problems(
    code: str, vehicle: Vehicle | None, organisation_id: int, city_id: int
) -> list[tuple[str, Any]]:
    if not _CODE.fullmatch(code):
        return [("code", _("2 to 16 letters, digits and hyphens"))]
    if vehicle is None:
        return []
    if vehicle.organisation_id != organisation_id:
        return [("code", _("is taken"))]
    if vehicle.city_id != city_id:
        return [("code", _("is a vehicle of another city"))]
    return []


def _wanted(
    row: SheetRow, known: _Known, seen: _Seen, *, code: str
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """The fields as the row wants them, and what is wrong with its cells."""
    wanted: dict[str, Any] = {}
    problems: list[tuple[str, Any]] = []
    for column, cell in row.values.items():
        if column == "code":
            continue
        try:
            wanted[column] = _READERS[column](cell, known)
        except ValidationError as fault:
            problems.append((column, fault.message))
    for column, owners in (("plate", known.plates), ("vin", known.vins)):
        value = wanted.get(column)
        if not value:
            continue
        if owners.get(value, code) != code:
            problems.append((column, _("another vehicle has it")))
        elif (line := seen.earlier(column, value, row.line)) is not None:
            problems.append((column, _("stands in line %(line)d already") % {"line": line}))
    return wanted, problems


def _read_type(cell: str, known: _Known) -> VehicleType:
    if cell not in known.types:
        raise ValidationError(_("there is no such type"))
    return known.types[cell]


def _read_plate(cell: str, _known: _Known) -> str:
    plate = _compact(cell)
    if plate:
        PLATE_SHAPE(plate)
    return plate


def _read_vin(cell: str, _known: _Known) -> str:
    vin = _compact(cell)
    if vin:
        VIN_SHAPE(vin)
    return vin


def _read_hub(cell: str, known: _Known) -> Hub | None:
    if not cell:
        return None
    if cell not in known.hubs:
        raise ValidationError(NO_SUCH_HUB)
    return known.hubs[cell]


def _read_equipment(cell: str, _known: _Known) -> list[str]:
    items = [item.strip() for item in cell.split(LIST_SEPARATOR) if item.strip()]
    if unknown := sorted(set(items) - set(Equipment.values)):
        raise ValidationError(_("nobody knows %(items)s") % {"items": ", ".join(unknown)})
    return sorted(set(items))


_READERS: dict[str, Any] = {
    "type": _read_type,
    "plate": _read_plate,
    "vin": _read_vin,
    "home_hub": _read_hub,
    "equipment": _read_equipment,
}


def _hints(wanted: dict[str, Any], vehicle: Vehicle | None) -> tuple[tuple[str, Any], ...]:
    plate = wanted.get("plate", "")
    type_ = wanted.get("type") or (vehicle.type if vehicle else None)
    if plate and type_ is not None and not rules.usual_plate(type_.kind, plate):
        return (("plate", _("is not of the usual Italian form")),)
    return ()


def _write(
    verdicts: Sequence[RowVerdict], *, organisation_id: int, city_id: int
) -> list[tuple[RowVerdict, Vehicle]]:
    fresh = {
        verdict.code: Vehicle(
            code=verdict.code,
            organisation_id=organisation_id,
            city_id=city_id,
            **verdict.changes,
        )
        for verdict in verdicts
        if verdict.what == "create"
    }
    Vehicle.objects.bulk_create(fresh.values())
    changed = {verdict.code: verdict for verdict in verdicts if verdict.what == "update"}
    named = Vehicle.objects.filter(code__in=changed, organisation=organisation_id)
    known = {vehicle.code: vehicle for vehicle in named}
    fields = {name for verdict in changed.values() for name in verdict.changes}
    for code, vehicle in known.items():
        for name, value in changed[code].changes.items():
            setattr(vehicle, name, value)
    if fields:
        Vehicle.objects.bulk_update(known.values(), sorted(fields), batch_size=500)
    vehicles = {**fresh, **known}
    return [(verdict, vehicles[verdict.code]) for verdict in verdicts if verdict.code in vehicles]
