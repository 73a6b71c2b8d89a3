"""Who is connected: opening, closing, hearing from stations, and those turned away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from charging.stations.facts import Closing, Handshake, Opening
from charging.stations.models import ChargingStation, RefusedHandshake, StationCommand
from charging.stations.services.commands import finish_rows
from charging.stations.states import CommandState
from mobility.core import audit
from mobility.core.principals import charger_principal

TURNED_OUT: Final = "station_turned_out"
"""On this channel gateways hear whose connection was taken away."""

_KEEP_REFUSALS: Final = timedelta(days=14)

_OPEN = """
UPDATE charging_chargingstation AS station
   SET connection_epoch = station.connection_epoch + opening.sockets,
       connected_at = %s, last_seen_at = %s,
       ocpp_version = opening.version, gateway = opening.gateway
  FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[])
       AS opening (station_id, sockets, version, gateway, certificate, proof)
 WHERE station.id = opening.station_id
   AND opening.certificate <> ALL (station.revoked_certificates)
   AND (opening.proof = ''
        OR opening.proof IN (station.password_hash, station.previous_password_hash))
RETURNING station.id, station.connection_epoch - opening.sockets
"""
_CLOSE = """
UPDATE charging_chargingstation AS station
   SET connected_at = NULL, disconnected_at = %s, gateway = ''
  FROM unnest(%s::bigint[], %s::bigint[]) AS closing (station_id, epoch)
 WHERE station.id = closing.station_id AND station.connection_epoch = closing.epoch
"""
_SETTLE = """
UPDATE charging_chargingstation AS station
   SET previous_password_hash = ''
  FROM unnest(%s::bigint[], %s::text[]) AS settled (station_id, hash)
 WHERE station.id = settled.station_id AND station.previous_password_hash <> ''
   AND settled.hash = station.password_hash
   AND NOT EXISTS (
       SELECT FROM charging_stationcommand command
        WHERE command.station_id = station.id AND command.action = 'set_password'
          AND command.state IN ('queued', 'sent')
   )
"""
_RISE = """
UPDATE charging_chargingstation AS station
   SET security_profile = station.next_security_profile, next_security_profile = NULL
  FROM unnest(%s::bigint[], %s::int[]) AS proven (station_id, profile)
 WHERE station.id = proven.station_id AND station.next_security_profile <= proven.profile
RETURNING station.id
"""
_RELEASE = """
UPDATE charging_chargingstation
   SET connected_at = NULL, disconnected_at = %s, gateway = ''
 WHERE gateway = %s AND connected_at IS NOT NULL
RETURNING id
"""
_TURN_OUT = """
UPDATE charging_chargingstation
   SET connection_epoch = connection_epoch + 1, connected_at = NULL, disconnected_at = %s,
       gateway = ''
 WHERE id = %s AND connected_at IS NOT NULL
RETURNING id
"""
# All stations at once: a row that somebody holds is left out, it is seen again soon.
_TOUCH = """
WITH free AS (
    SELECT id FROM charging_chargingstation WHERE id = ANY (%s) FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE charging_chargingstation AS station
   SET last_seen_at = seen.at
  FROM unnest(%s::bigint[], %s::timestamptz[]) AS seen (station_id, at)
  JOIN free ON free.id = seen.station_id
 WHERE station.id = seen.station_id
   AND (station.last_seen_at IS NULL OR station.last_seen_at < seen.at)
"""


@transaction.atomic(savepoint=False)
def open_connections(*, openings: Sequence[Opening], at: datetime) -> list[int | None]:
    """Give every new socket its connection number (epoch), in order; the newest owns the station.

    A station that opened several sockets within the batch gets one number for each. None: what the
    newest one proved itself with was revoked or replaced while it shook hands, or the station is
    gone.
    """
    newest = {opening.station_id: opening for opening in openings}
    sockets = Counter(opening.station_id for opening in openings)
    station_ids = sorted(newest)
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN,
            [
                at,
                at,
                station_ids,
                [sockets[pk] for pk in station_ids],
                [newest[pk].ocpp_version for pk in station_ids],
                [newest[pk].gateway for pk in station_ids],
                [newest[pk].certificate for pk in station_ids],
                [newest[pk].proof for pk in station_ids],
            ],
        )
        given = dict(cursor.fetchall())
    # Whatever was sent over an older socket gets no answer any more; also over one of a gateway that
    # was killed, and says nothing of it.
    _fail_unanswered(given, at=at)
    _settle_handshakes([one for one in openings if one.station_id in given], at=at)
    epochs: list[int | None] = []
    for opening in openings:
        if opening.station_id in given:
            given[opening.station_id] += 1
        epochs.append(given.get(opening.station_id))
    return epochs


def open_connection(*, station_id: int, ocpp_version: str, gateway: str, at: datetime) -> int:
    """The connection number of one new socket."""
    opening = Opening(station_id=station_id, ocpp_version=ocpp_version, gateway=gateway)
    [epoch] = open_connections(openings=[opening], at=at)
    if epoch is None:
        raise ChargingStation.DoesNotExist
    return epoch


def turn_out_station(*, station_id: int, at: datetime) -> bool:
    """Take a station's connection away; in the transaction that revokes what had opened it.

    The socket owns its station no more from the commit on: its gateway is woken to close it, and
    what was asked over it fails. Answers whether there was one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TURN_OUT, [at, station_id])
        if cursor.fetchone() is None:
            return False
        cursor.execute("SELECT pg_notify(%s, %s)", [TURNED_OUT, str(station_id)])
    _fail_unanswered([station_id], at=at)
    return True


def _settle_handshakes(openings: Sequence[Opening], *, at: datetime) -> None:
    """What a first success decides: which of two passwords counts, and a higher profile.

    A new password that opened the door ends the old one. The old one ends nothing: whoever knows it
    could lock the station out by coming first. While the command that brings a new password is
    unanswered both stay anyway.
    """
    settled = {row.station_id: row.password_hash for row in openings if row.password_hash}
    risen = {row.station_id: row.security_profile for row in openings if row.security_profile}
    if not settled and not risen:
        return
    with connection.cursor() as cursor:
        if settled:
            cursor.execute(_SETTLE, [list(settled), list(settled.values())])
        cursor.execute(_RISE, [list(risen), list(risen.values())])
        ids = [row[0] for row in cursor.fetchall()]
    for station in ChargingStation.objects.filter(pk__in=ids):
        by = charger_principal(station.identity)
        audit.record(by=by, action="raise_security_profile", row=station, at=at)


def close_connections(*, closings: Sequence[Closing], at: datetime) -> None:
    """Note that sockets went away; an old epoch changes nothing about a newer connection.

    Commands that were sent over exactly these sockets fail: their answer cannot come any more.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSE,
            [at, [closing.station_id for closing in closings], [c.epoch for c in closings]],
        )
    closed = {(closing.station_id, closing.epoch) for closing in closings}
    _fail_unanswered({station_id for station_id, _epoch in closed}, over=closed, at=at)


@transaction.atomic
def release_gateway(*, gateway: str, at: datetime) -> int:
    """Note that a gateway process holds no socket (any more); returns how many it had left.

    Called when it starts and when it stops: after a crash its name still stands on stations.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [at, gateway])
        station_ids = [row[0] for row in cursor.fetchall()]
    _fail_unanswered(station_ids, at=at)
    return len(station_ids)


def touch_stations(*, seen: Mapping[int, datetime], at: datetime) -> None:
    """Note when stations were last heard, by station id; never moves backwards.

    `at` bounds it: a station was not heard in the future.
    """
    station_ids = sorted(seen)
    with connection.cursor() as cursor:
        cursor.execute(
            _TOUCH, [station_ids, station_ids, [min(seen[pk], at) for pk in station_ids]]
        )


def record_refused_handshakes(*, handshakes: Sequence[Handshake], at: datetime) -> None:
    """Keep refused connection attempts for the people who look for a dark charger."""
    RefusedHandshake.objects.bulk_create(
        [
            RefusedHandshake(
                at=at,
                identity=_printable(handshake.identity)[:200],
                path=_printable(handshake.path)[:300],
                reason=handshake.reason[:60],
                detail=_printable(handshake.detail)[:200],
                remote=handshake.remote[:80],
            )
            for handshake in handshakes
        ],
    )


def forget_refused_handshakes(*, at: datetime) -> int:
    """Drop refusals older than two weeks; returns how many. Anyone can knock, so they must end."""
    deleted, _per_model = RefusedHandshake.objects.filter(at__lt=at - _KEEP_REFUSALS).delete()
    return deleted


def _fail_unanswered(
    station_ids: Collection[int],
    *,
    at: datetime,
    over: Collection[tuple[int, int | None]] | None = None,
) -> None:
    """What was sent to these stations, `over` these sockets (station and epoch) or any, gets no answer."""
    sent = StationCommand.objects.filter(state=CommandState.SENT, station_id__in=station_ids)
    rows = [
        row
        for row in sent.select_related("station")
        if over is None or (row.station_id, row.sent_epoch) in over
    ]
    finish_rows(rows, to=CommandState.FAILED, result={"reason": "connection_lost"}, at=at)


def _printable(text: str) -> str:
    """PostgreSQL stores no NUL; other rubbish is shown as it came."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
