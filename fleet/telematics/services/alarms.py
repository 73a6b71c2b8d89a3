"""Alarms: opened and closed by what vehicles report, seen to by staff.

DomainError
├── Conflict  AlarmOver
└── Invalid   NotOnStaff
"""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from fleet.telematics.events import AlarmClosed, AlarmOpened
from fleet.telematics.models import Alarm, VehiclePresence
from fleet.telematics.states import SEVERITIES, AlarmKind, AlarmState
from fleet.vehicles.models import Vehicle, VehicleBlock
from fleet.vehicles.scoping import FLEET_STAFF
from fleet.vehicles.services import block_vehicles, displace_waiting, lift_blocks
from fleet.vehicles.states import BlockReason, LifeState
from mobility.accounts.models import User
from mobility.core import audit, ids, outbox
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import system_principal
from mobility.core.transitions import move, move_many

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mobility.core.principals import Principal

BY = system_principal("telematics")
# Under this name a moved vehicle is suspended, so that only such blocks are lifted by themselves.
MOVED_BY = system_principal("moved-without-trip")

# Whoever fetches a vehicle, or loses it for good, ends these.
_ONLY_IN_SERVICE = (
    AlarmKind.MOVED_WITHOUT_TRIP,
    AlarmKind.TILT,
    AlarmKind.LEFT_SERVICE_AREA,
    AlarmKind.SPEED_VIOLATION,
    AlarmKind.SILENCE,
)

# What is noticed again within this is not written again: an alarm may go on for days.
_NOTICE_AGAIN = datetime.timedelta(minutes=1)

# Who opens first wins: the unique index leaves one alarm of a kind for a vehicle.
_OPEN = """
INSERT INTO fleet_alarm
    (public_id, vehicle_id, kind, severity, state, opened_at, last_seen_at, count, details, closed_by)
SELECT public_id, vehicle_id, kind, severity, 'open', %s, %s, 1, details, ''
FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::jsonb[])
    AS news (public_id, vehicle_id, kind, severity, details)
ORDER BY vehicle_id, kind
ON CONFLICT DO NOTHING RETURNING public_id, vehicle_id, kind, details
"""
_NOTICE = """
UPDATE fleet_alarm alarm SET last_seen_at = %s, count = count + 1
FROM unnest(%s::bigint[], %s::text[]) AS news (vehicle_id, kind)
WHERE alarm.vehicle_id = news.vehicle_id AND alarm.kind = news.kind
  AND alarm.state <> 'closed' AND alarm.last_seen_at <= %s
"""


class AlarmOver(Conflict):
    code = "alarm_over"
    message = _("This alarm is closed.")


class NotOnStaff(Invalid):
    code = "not_on_staff"
    message = _("Nobody on this fleet's staff has this address.")


@dataclass(kw_only=True)
class AlarmNews:
    """What a batch of reports says about alarms, by kind and vehicle."""

    opened: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    noticed: set[tuple[str, int]] = field(default_factory=set)
    over: set[tuple[str, int]] = field(default_factory=set)

    def open(self, kind: AlarmKind, vehicle_id: int, **details: Any) -> None:
        """The alarm begins."""
        self.opened[kind, vehicle_id] = details

    def notice(self, kind: AlarmKind, vehicle_id: int) -> None:
        """It goes on, and its cause was seen again."""
        self.noticed.add((kind, vehicle_id))

    def close(self, kind: AlarmKind, vehicle_id: int) -> None:
        """It is over."""
        self.over.add((kind, vehicle_id))


def write_alarms(news: AlarmNews, *, at: datetime.datetime, by: Principal = BY) -> None:
    """Open, count and close alarms in a constant number of statements, with their events.

    Inside the transaction of the caller.
    """
    if news.opened:
        _open(news.opened, at=at)
    if news.noticed:
        kinds, vehicles = zip(*sorted(news.noticed), strict=True)
        with connection.cursor() as cursor:
            before = at - _NOTICE_AGAIN
            cursor.execute(_NOTICE, [at, list(vehicles), list(kinds), before])
    if news.over:
        close_alarms(_active(news.over), at=at, by=by)


def close_alarms(alarms: Iterable[Alarm], *, at: datetime.datetime, by: Principal) -> list[Alarm]:
    """End these alarms and tell it; returns those that were not ended by somebody else before."""
    closed = move_many(alarms, to=AlarmState.CLOSED, at=at, by=by, closed_at=at, closed_by=by)
    outbox.publish(*(_told(AlarmClosed, alarm, at=at) for alarm in closed), at=at)
    return closed


def acknowledge_alarm(
    *, alarm_id: int, user_id: int, at: datetime.datetime, by: Principal
) -> Alarm:
    """Somebody has seen it and takes care; doing so twice changes nothing. Raises `AlarmOver`.

    An alarm that is nobody's becomes theirs.
    """
    with transaction.atomic():
        alarm = _locked(alarm_id)
        if alarm.state == AlarmState.OPEN:
            owner = alarm.assigned_to_id or user_id
            move(alarm, to=AlarmState.ACKNOWLEDGED, at=at, by=by, assigned_to_id=owner)
    return alarm


def assign_alarm(
    *, alarm_id: int, email: str | None, at: datetime.datetime, by: Principal
) -> Alarm:
    """Give it to a member of the operator's staff, or with None to nobody.

    Raises `AlarmOver`, `NotOnStaff`.
    """
    with transaction.atomic():
        alarm = _locked(alarm_id)
        owner = None if email is None else _colleague(alarm, email)
        changes = {"from": alarm.assigned_to_id, "to": owner and owner.pk}
        alarm.assigned_to = owner
        alarm.save(update_fields=["assigned_to"])
        audit.record(by=by, action="alarm:assign", row=alarm, at=at, changes=changes)
    return alarm


def close_alarm(*, alarm_id: int, at: datetime.datetime, by: Principal) -> Alarm:
    """Staff say that it is over. If its cause goes on, a new alarm will begin.

    A vehicle that was moved is parked where it is from now on. Raises `AlarmOver`.
    """
    with transaction.atomic():
        alarm = _locked(alarm_id)
        if alarm.kind == AlarmKind.MOVED_WITHOUT_TRIP:
            # With the time: a batch that read it before must not write its old anchor back.
            VehiclePresence.objects.filter(pk=alarm.vehicle_id).update(
                at=at,
                anchor_lon_e7=None,
                anchor_lat_e7=None,
                away=0,
                rest_lon_e7=None,
                rest_lat_e7=None,
                rest_since=None,
            )
        close_alarms([alarm], at=at, by=by)
    return alarm


def close_for_life(*, vehicle_id: int, at: datetime.datetime) -> None:
    """A vehicle left service: what could only end by its being there again is over.

    A retired one has no alarms at all. Judged by what the vehicle is now, not by what was told.
    """
    vehicle = Vehicle.objects.select_for_update(no_key=True).get(pk=vehicle_id)
    if vehicle.life_state == LifeState.IN_SERVICE:
        return
    going_on = Alarm.objects.active().filter(vehicle=vehicle).order_by("pk")
    if vehicle.life_state != LifeState.RETIRED:
        going_on = going_on.filter(kind__in=_ONLY_IN_SERVICE)
    close_alarms(list(going_on), at=at, by=BY)


def withdraw_moved(*, alarm_id: str, vehicle_id: int, at: datetime.datetime) -> None:
    """Offer a vehicle that somebody carries off to nobody, and free those who wait for it.

    Unless that is over: events come in any order, and nobody would lift a block that comes after
    the end of its alarm. Inside a transaction, which keeps the alarm as it is.
    """
    # The vehicle first, as everybody does who writes alarms.
    Vehicle.objects.select_for_update(no_key=True).get(pk=vehicle_id)
    alarm = Alarm.objects.select_for_update(no_key=True).filter(public_id=alarm_id).first()
    if alarm is None or alarm.state == AlarmState.CLOSED:
        return
    block_vehicles(vehicle_ids=[vehicle_id], reason=BlockReason.SUSPENDED, at=at, by=MOVED_BY)
    displace_waiting(vehicle_id=vehicle_id, reason=AlarmKind.MOVED_WITHOUT_TRIP, at=at, by=MOVED_BY)


def offer_again(*, vehicle_id: int, at: datetime.datetime) -> None:
    """Lift what `withdraw_moved` placed, unless it is moved again; what staff placed stays."""
    Vehicle.objects.select_for_update(no_key=True).get(pk=vehicle_id)
    moved = Alarm.objects.active().filter(vehicle=vehicle_id, kind=AlarmKind.MOVED_WITHOUT_TRIP)
    if moved.exists():
        return
    ours = VehicleBlock.objects.active().filter(
        vehicle=vehicle_id, reason=BlockReason.SUSPENDED, placed_by=MOVED_BY
    )
    if ours.exists():
        lift_blocks(vehicle_ids=[vehicle_id], reason=BlockReason.SUSPENDED, at=at, by=MOVED_BY)


def _open(opened: dict[tuple[str, int], dict[str, Any]], *, at: datetime.datetime) -> None:
    columns: defaultdict[str, list[Any]] = defaultdict(list)
    for (kind, vehicle_id), details in opened.items():
        columns["public_id"].append(ids.uuid7())
        columns["vehicle"].append(vehicle_id)
        columns["kind"].append(str(kind))
        columns["severity"].append(str(SEVERITIES[kind]))
        columns["details"].append(json.dumps(details))
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [at, at, *columns.values()])
        rows = cursor.fetchall()
    events = [
        AlarmOpened(
            alarm_id=str(public_id),
            vehicle_id=vehicle_id,
            kind=kind,
            at=at,
            details=json.loads(details) if isinstance(details, str) else details,
        )
        for public_id, vehicle_id, kind, details in rows
    ]
    outbox.publish(*events, at=at)


def _active(pairs: Collection[tuple[str, int]]) -> list[Alarm]:
    wanted = Q(pk__in=[])
    vehicles: defaultdict[str, list[int]] = defaultdict(list)
    for kind, vehicle_id in pairs:
        vehicles[kind].append(vehicle_id)
    for kind, vehicle_ids in vehicles.items():
        wanted |= Q(kind=kind, vehicle__in=vehicle_ids)
    return list(Alarm.objects.active().filter(wanted).order_by("pk"))


def _locked(alarm_id: int) -> Alarm:
    alarm = Alarm.objects.select_for_update(no_key=True).get(pk=alarm_id)
    if alarm.state == AlarmState.CLOSED:
        raise AlarmOver
    return alarm


def _colleague(alarm: Alarm, email: str) -> User:
    """An active member of the staff of the vehicle's operator."""
    staff = User.objects.filter(
        email__iexact=email,
        is_active=True,
        memberships__organisation=alarm.vehicle.organisation_id,
        memberships__role__in=FLEET_STAFF,
    )
    colleague = staff.first()
    if colleague is None:
        raise NotOnStaff
    return colleague


def _told(
    event: type[AlarmOpened | AlarmClosed], alarm: Alarm, *, at: datetime.datetime
) -> AlarmOpened | AlarmClosed:
    return event(
        alarm_id=str(alarm.public_id),
        vehicle_id=alarm.vehicle_id,
        kind=alarm.kind,
        at=at,
        details=alarm.details,
    )
