"""Local lists: the cards a station knows by itself, kept equal to those its operator issued."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet

from charging.devices import queries, rules
from charging.devices.models import LocalList
from charging.devices.states import ListState
from charging.sessions.models import Token
from charging.sessions.states import TokenKind, TokenState
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import queue_command
from charging.stations.states import COMMAND_OPEN, CommandAction, CommandState
from mobility.core import audit, ids
from mobility.core.principals import SYSTEM, Principal
from mobility.core.transitions import move

Card = tuple[str, datetime | None, str]
"""A token, its end, its group."""

_LONGEST: Final = {"ocpp1.6": 20}
_LONGEST_2: Final = 36
_ROOM: Final = 10_000
"""Cards for a station that does not say how many it can hold."""
# Rejections that no other list would change.
_NEVER: Final = frozenset({"NotSupported", "refused"})
_AT_ONCE: Final = 200
"""Lists that one sweep begins to send; the next one goes on."""


@transaction.atomic
def manage_list(
    *, station: ChargingStation, managed: bool, at: datetime, by: Principal
) -> LocalList:
    """Keep a station's list up to date from now on, or leave it as it is."""
    row = _locked(station.pk, at=at)
    row.managed = managed
    row.save(update_fields=["managed"])
    action = "manage_local_list" if managed else "leave_local_list"
    audit.record(by=by, action=action, row=station, at=at)
    return row


@transaction.atomic
def send_list(
    *,
    station: ChargingStation,
    at: datetime,
    by: Principal,
    idempotency_key: str,
    full: bool = False,
) -> LocalList:
    """Bring a station's list to what its operator's cards are now.

    1. What is under way is waited for; its end goes on with the rest.
    2. The first time, or with `full`, everything is sent; later only what changed.
    3. A portion is as long as the station takes; each has its own version.
    """
    row = _locked(station.pk, at=at)
    if _under_way(row):
        return row
    row.wanted = wanted_entries(station=station)
    row.save(update_fields=["wanted"])
    if full:
        row.entries, row.version = {}, max(row.version, row.reported_version or 0)
    _send_next(row, station, full=full or row.version == 0, at=at, by=by, key=idempotency_key)
    return row


def wanted_entries(*, station: ChargingStation) -> dict[str, Any]:
    """The cards the operator of this station issued and has not blocked, as entries of its list.

    Cards too long for the station's version, and more than it can hold, are left out.
    """
    longest = _LONGEST.get(station.ocpp_version, _LONGEST_2)
    room = queries.limit_of(station_id=station.pk, what="list_length", otherwise=_ROOM)
    return _entries(_cards(station.site.organisation_id), longest=longest, room=room)


def _cards(organisation_id: int) -> list[Card]:
    cards = Token.objects.filter(
        organisation_id=organisation_id, kind=TokenKind.RFID, state=TokenState.ACCEPTED
    )
    return list(cards.order_by("uid").values_list("uid", "expires_at", "group"))


def _entries(cards: Sequence[Card], *, longest: int, room: int) -> dict[str, Any]:
    fitting = [card for card in cards if len(card[0]) <= longest][:room]
    return {uid: _entry(expires_at, group) for uid, expires_at, group in fitting}


def note_list_answer(command: StationCommand, at: datetime) -> None:
    """A portion was taken, refused, or got lost.

    A refused difference is followed by the whole list; a refused whole list ends it. After silence
    nobody knows what the station holds: the next time it gets everything.
    """
    row = LocalList.objects.select_for_update().filter(station_id=command.station_id).first()
    if row is None or row.sending.get("command") != command.pk:
        return
    sent, row.sending = row.sending, {}
    row.changed_at = at
    if command.state == CommandState.ACCEPTED:
        _taken(row, command, sent, at=at)
    elif command.state == CommandState.REJECTED:
        _refused(row, command, sent, at=at)
    else:
        row.version, row.entries = 0, {}
        row.reported_version = max(row.reported_version or 0, sent["version"])
        _rest(row, ListState.UNKNOWN, problem=str(command.result.get("reason", "")), at=at)


def note_list_version(command: StationCommand, at: datetime) -> None:
    """What version the station says it has; another one than ours means that we know nothing."""
    version = command.result.get("details", {}).get("version")
    if version is None:
        return
    row = _locked(command.station_id, at=at)
    row.reported_version = version
    row.save(update_fields=["reported_version"])
    if version < 0:
        _rest(row, ListState.NOT_SUPPORTED, problem="NotSupported", at=at)
    elif version != row.version and not _under_way(row):
        row.version, row.entries = 0, {}
        _rest(row, ListState.UNKNOWN, problem="VersionMismatch", at=at)


def tend_lists(*, at: datetime) -> int:
    """Send what changed to connected stations whose lists are kept up to date; returns how many.

    All are looked at, each is sent in a transaction of its own: no answer of a station waits for a
    sweep.
    """
    due = LocalList.objects.filter(managed=True, station__connected_at__isnull=False).exclude(
        state__in=[ListState.SENDING, ListState.NOT_SUPPORTED]
    )
    out_of_step = _out_of_step(due)[:_AT_ONCE]
    for station in ChargingStation.objects.select_related("site").filter(pk__in=out_of_step):
        key = f"list:{station.pk}:{ids.uuid7()}"
        send_list(station=station, at=at, by=SYSTEM, idempotency_key=key)
    return len(out_of_step)


def _out_of_step(due: QuerySet[LocalList]) -> list[int]:
    """Stations whose list is not what it shall be, nor what they refused.

    Stations of one operator that can hold the same hold the same: the lists are compared where they
    lie, a kind at a time, and not fetched.
    """
    rows = list(due.values_list("pk", "station__site__organisation", "station__ocpp_version"))
    rooms = queries.limits_of(station_ids=[pk for pk, *_kind in rows], what="list_length")
    alike: defaultdict[tuple[int, int, int], list[int]] = defaultdict(list)
    for pk, organisation_id, version in rows:
        longest = _LONGEST.get(version, _LONGEST_2)
        alike[organisation_id, longest, rooms.get(pk, _ROOM)].append(pk)
    cards = {organisation_id: _cards(organisation_id) for organisation_id, *_kind in alike}
    found: list[int] = []
    for (organisation_id, longest, room), pks in alike.items():
        wanted = _entries(cards[organisation_id], longest=longest, room=room)
        settled = Q(state=ListState.SYNCHRONISED, entries=wanted)
        settled |= Q(state=ListState.FAILED, wanted=wanted)
        found += due.filter(pk__in=pks).exclude(settled).values_list("pk", flat=True)
    return sorted(found)


def _taken(
    row: LocalList, command: StationCommand, sent: Mapping[str, Any], *, at: datetime
) -> None:
    held = {} if sent["full"] else row.entries
    row.entries = rules.merged(held=held, changes=sent["entries"])
    row.version = sent["version"]
    row.reported_version = row.version
    key = f"{command.idempotency_key[:90]}:{row.version}"
    _send_next(row, command.station, full=False, at=at, by=Principal(command.by), key=key)


def _refused(
    row: LocalList, command: StationCommand, sent: Mapping[str, Any], *, at: datetime
) -> None:
    word = str(command.result.get("status") or command.result.get("reason", ""))
    row.problem = word[:40]
    row.entries = {}
    row.reported_version = max(row.reported_version or 0, sent["version"])
    if not sent["full"]:
        row.version = row.reported_version
        key = f"{command.idempotency_key[:90]}:full"
        _send_next(row, command.station, full=True, at=at, by=Principal(command.by), key=key)
        return
    row.version = 0
    _rest(row, ListState.NOT_SUPPORTED if word in _NEVER else ListState.FAILED, problem=word, at=at)


def _send_next(
    row: LocalList,
    station: ChargingStation,
    *,
    full: bool,
    at: datetime,
    by: Principal,
    key: str,
) -> None:
    changes = dict(row.wanted) if full else rules.list_changes(held=row.entries, wanted=row.wanted)
    if not changes and not full:
        _rest(row, ListState.SYNCHRONISED, problem="", at=at)
        return
    size = queries.limit_of(station_id=station.pk, what="send_list", otherwise=queries.SOME_ENTRIES)
    part = dict(next(rules.portions(list(changes.items()), size=size), ()))
    version = max(row.version, row.reported_version or 0) + 1
    payload = {"version": version, "full": full, "entries": part}
    # Before the command, which may fail at once and tell us so.
    _rest(row, ListState.SENDING, problem=row.problem, at=at)
    command = queue_command(
        station_id=station.pk,
        action=CommandAction.SEND_LIST,
        payload=payload,
        idempotency_key=key[:128],
        at=at,
        by=by,
        ttl_s=300,
    )
    row.sending = {"command": command.pk, **payload}
    row.save(update_fields=["sending"])
    if command.state not in COMMAND_OPEN:
        note_list_answer(command, at)
        row.refresh_from_db()


def _rest(row: LocalList, state: str, *, problem: str, at: datetime) -> None:
    row.problem = problem[:40]
    row.changed_at = at
    row.save(
        update_fields=[
            "entries", "version", "reported_version", "sending", "problem", "changed_at",
        ]
    )  # fmt: skip
    if row.state != state:
        move(row, to=state, at=at, by=SYSTEM)


def _under_way(row: LocalList) -> bool:
    number = row.sending.get("command")
    if number is None:
        return False
    return StationCommand.objects.filter(pk=number, state__in=COMMAND_OPEN).exists()


def _locked(station_id: int, *, at: datetime) -> LocalList:
    LocalList.objects.get_or_create(station_id=station_id, defaults={"changed_at": at})
    return LocalList.objects.select_for_update().get(station_id=station_id)


def _entry(expires_at: datetime | None, group: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"status": "Accepted", "kind": "rfid"}
    if expires_at is not None:
        entry["expires_at"] = expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {**entry, "group": group} if group else entry
