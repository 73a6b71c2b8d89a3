"""The ledger of commands: queued by people and services, sent by the gateway, always finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from charging.stations import followers, queries, sealing, speech
from charging.stations.events import StationCommandFinished
from charging.stations.facts import ONLY_EPOCH, CommandResult, CommandToSend
from charging.stations.models import ChargingStation, Connector, StationCommand
from charging.stations.rules import without_nul
from charging.stations.states import COMMAND_PRIORITY, CommandAction, CommandState
from mobility.core import audit, outbox
from mobility.core.errors import Conflict, Invalid, NotFound
from mobility.core.principals import SYSTEM, Principal, charger_principal
from mobility.core.transitions import move_many

CHANNEL: Final = "station_command"
DEFAULT_TTL_S: Final = 30
# Above the gateway's own time-out: a command still in flight then has lost its gateway.
ANSWER_PATIENCE: Final = timedelta(seconds=90)
_LAST_PRIORITY: Final = 9
_PORTION: Final = 500


class NoSuchStation(NotFound):
    """No station has this id."""

    code = "no_such_station"
    message = _("There is no such charging station.")


class NoSuchConnector(NotFound):
    """The station has no such connector."""

    code = "no_such_connector"
    message = _("This station has no such connector.")


class UnknownAction(Invalid):
    """The action is none that a station understands."""

    code = "unknown_station_action"
    message = _("A station cannot do “%(action)s”.")


class CommandKeyReused(Conflict):
    """The idempotency key belongs to another command."""

    code = "command_key_reused"
    message = _("This key was used for another command.")


def check_command(
    *,
    station: ChargingStation,
    action: str,
    payload: Mapping[str, Any],
    connector: Connector | None = None,
    at: datetime,
) -> None:
    """Refuse what the station's protocol version has no word for, before anybody waits for it.

    Raises CommandImpossible, CommandMalformed.
    """
    draft = StationCommand(
        pk=0,
        station=station,
        connector=connector,
        action=action,
        payload=dict(payload),
        expires_at=at,
    )
    speech.check(queries.to_send(draft), version=station.ocpp_version)


@transaction.atomic
def queue_command(
    *,
    station_id: int,
    action: str,
    idempotency_key: str,
    at: datetime,
    by: Principal,
    connector_id: int | None = None,
    payload: Mapping[str, Any] | None = None,
    purpose_ref: str = "",
    ttl_s: int = DEFAULT_TTL_S,
) -> StationCommand:
    """Ask a station to do something; the gateway is woken when the transaction commits.

    1. The same key for the same action returns the command it already made.
    2. A station without a socket cannot be asked: its command is written down as failed with
       reason ``offline``, so that everybody can see it was tried.
    3. Otherwise it waits at most `ttl_s` seconds for its turn.

    Raises NoSuchStation, NoSuchConnector, UnknownAction, CommandKeyReused.
    """
    station = _station(station_id, connector_id=connector_id, action=action)
    command, created = StationCommand.objects.get_or_create(
        idempotency_key=idempotency_key,
        defaults={
            "station": station,
            "connector_id": connector_id,
            "action": action,
            "payload": sealing.sealed(action=action, key=idempotency_key, payload=payload or {}),
            "priority": COMMAND_PRIORITY.get(action, _LAST_PRIORITY),
            "by": by,
            "purpose_ref": purpose_ref,
            "queued_at": at,
            "expires_at": at + timedelta(seconds=ttl_s),
        },
    )
    if not created:
        return _same_command(command, station_id=station_id, action=action)
    audit.record(by=by, action=f"command:{action}", row=command, at=at)
    followers.tell_queued(command, at=at)
    if station.connected_at is None:
        finish_rows([command], to=CommandState.FAILED, result={"reason": "offline"}, at=at)
    else:
        _wake_gateway(station_id)
    return command


def take_commands(*, gateway: str, at: datetime, limit: int = 100) -> list[CommandToSend]:
    """What this gateway should send now; nothing is marked yet, see `mark_commands_sent`."""
    return queries.commands_to_send(gateway=gateway, at=at, limit=limit)


@transaction.atomic
def mark_commands_sent(*, sent: Mapping[int, int], at: datetime) -> set[int]:
    """Claim commands (id → epoch of the socket) right before sending; returns those to send.

    A command whose station meanwhile has a newer connection, or that is no longer queued, is
    left out and must not go on the wire.
    """
    rows = StationCommand.objects.filter(
        pk__in=sent,
        state=CommandState.QUEUED,
        expires_at__gt=at,
    ).select_related("station")
    strangers = [row for row in rows if row.payload.get(ONLY_EPOCH, sent[row.pk]) != sent[row.pk]]
    finish_rows(strangers, to=CommandState.FAILED, result={"reason": "connection_lost"}, at=at)
    owned = [
        row for row in rows if row.station.connection_epoch == sent[row.pk] and row not in strangers
    ]
    moved: set[int] = set()
    for epoch in {sent[row.pk] for row in owned}:
        of_epoch = [row for row in owned if sent[row.pk] == epoch]
        claimed = move_many(
            of_epoch,
            to=CommandState.SENT,
            at=at,
            by=SYSTEM,
            sent_at=at,
            sent_epoch=epoch,
        )
        moved.update(row.pk for row in claimed)
    return moved


@transaction.atomic
def finish_commands(*, results: Sequence[CommandResult], at: datetime) -> None:
    """Write down how commands ended; an answer after the time-out changes nothing any more."""
    by_id = {result.command_id: result for result in results}
    rows = StationCommand.objects.filter(pk__in=by_id, state=CommandState.SENT)
    for row in rows.select_related("station"):
        said = by_id[row.pk]
        result = {**said.result, "details": said.details} if said.details else said.result
        by = charger_principal(row.station.identity)
        finish_rows([row], to=said.state, result=without_nul(result), at=at, by=by)


@transaction.atomic
def expire_commands(*, at: datetime) -> int:
    """Finish what nobody finished: queued too long, or sent by a gateway that is gone.

    Returns how many; what is left after a portion the next round takes, seconds later.
    """
    stale = StationCommand.objects.open().select_related("station").order_by("pk")
    queued = list(stale.filter(state=CommandState.QUEUED, expires_at__lte=at)[:_PORTION])
    finish_rows(queued, to=CommandState.EXPIRED, result={"reason": "not_sent_in_time"}, at=at)
    late = stale.filter(state=CommandState.SENT, sent_at__lte=at - ANSWER_PATIENCE)
    sent = list(late[:_PORTION])
    finish_rows(sent, to=CommandState.TIMED_OUT, result={"reason": "no_answer"}, at=at)
    return len(queued) + len(sent)


def finish_rows(
    rows: Iterable[StationCommand],
    *,
    to: str,
    result: Mapping[str, Any],
    at: datetime,
    by: Principal = SYSTEM,
) -> None:
    """Move commands, loaded with their stations, to their end and publish it.

    Rows that moved meanwhile are left.
    """
    finished = move_many(rows, to=to, at=at, by=by, finished_at=at, result=dict(result))
    _forget_secrets(finished)
    outbox.publish(*[_finished(row) for row in finished], at=at)
    for row in finished:
        followers.tell_finished(row, at=at)


def _forget_secrets(finished: Iterable[StationCommand]) -> None:
    """A password stands in its command only for as long as the station has to hear it."""
    secret = [row.pk for row in finished if row.action in sealing.SECRET_ACTIONS]
    if secret:
        StationCommand.objects.filter(pk__in=secret).update(payload={})


def _finished(row: StationCommand) -> StationCommandFinished:
    return StationCommandFinished(
        command_id=str(row.public_id),
        station_identity=row.station.identity,
        action=row.action,
        state=row.state,
        purpose_ref=row.purpose_ref,
        result=row.result,
    )


def _station(station_id: int, *, connector_id: int | None, action: str) -> ChargingStation:
    if action not in CommandAction.values:
        raise UnknownAction(action=action)
    station = ChargingStation.objects.filter(pk=station_id).first()
    if station is None:
        raise NoSuchStation
    if connector_id is not None:
        own = Connector.objects.filter(pk=connector_id, evse__station_id=station_id)
        if not own.exists():
            raise NoSuchConnector
    return station


def _same_command(command: StationCommand, *, station_id: int, action: str) -> StationCommand:
    if (command.station_id, command.action) != (station_id, action):
        raise CommandKeyReused
    return command


def _wake_gateway(station_id: int) -> None:
    """PostgreSQL delivers it at commit; the gateway's sweep catches what gets lost."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(station_id)])
