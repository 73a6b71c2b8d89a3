"""Starting and stopping a session from afar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from charging.sessions.facts import AuthorizationStatus
from charging.sessions.models import ChargingSession
from charging.sessions.rules import normal_uid
from charging.sessions.services.authorisation import authorize_start
from charging.stations.models import ChargingStation, Connector, StationCommand
from charging.stations.services import NoSuchConnector, check_command, queue_command
from charging.stations.states import CommandAction
from mobility.core.errors import Conflict, NotFound
from mobility.core.principals import Principal


class TokenRefused(Conflict):
    """The token may not charge."""

    code = "token_refused"
    message = _("This token cannot be used for charging.")


class NoSuchSession(NotFound):
    """No session has this id."""

    code = "no_such_session"
    message = _("There is no such charging session.")


@transaction.atomic
def remote_start(
    *,
    connector_id: int,
    token_uid: str,
    idempotency_key: str,
    at: datetime,
    by: Principal,
    purpose_ref: str = "",
    limit_cents: int = 0,
    ttl_s: int = 30,
) -> StationCommand:
    """Ask a connector's station to begin a session for a token.

    `limit_cents` is the most it may cost, 0 for no limit; a 2.1 station hears of it when it begins.

    The command's end says only whether the station agreed; the session is there when
    `SessionStarted` with the same `purpose_ref` comes. An offline station gives a command that
    has failed already. Raises NoSuchConnector, TokenRefused.
    """
    connector = Connector.objects.select_related("evse").filter(pk=connector_id).first()
    if connector is None:
        raise NoSuchConnector
    verdict = authorize_start(
        uid=token_uid,
        station_id=connector.evse.station_id,
        evse_number=connector.evse.number,
        at=at,
    )
    if verdict.status is not AuthorizationStatus.ACCEPTED:
        raise TokenRefused(extra={"verdict": str(verdict.status)})
    return queue_command(
        station_id=connector.evse.station_id,
        connector_id=connector.pk,
        action=CommandAction.REMOTE_START,
        payload={
            "token_uid": normal_uid(token_uid),
            "token_kind": "Central",
            **({"limit_cents": limit_cents} if limit_cents else {}),
        },
        idempotency_key=idempotency_key,
        purpose_ref=purpose_ref,
        ttl_s=ttl_s,
        at=at,
        by=by,
    )


@transaction.atomic
def remote_stop(
    *,
    session_id: int,
    idempotency_key: str,
    at: datetime,
    by: Principal,
    purpose_ref: str = "",
    ttl_s: int = 60,
) -> StationCommand:
    """Ask the station to end a session, also one we think is over: the station knows better.

    Raises NoSuchSession.
    """
    session = ChargingSession.objects.filter(pk=session_id).first()
    if session is None:
        raise NoSuchSession
    return queue_command(
        station_id=session.station_id,
        connector_id=session.connector_id,
        action=CommandAction.REMOTE_STOP,
        payload={"transaction_ref": session.transaction_ref},
        idempotency_key=idempotency_key,
        purpose_ref=purpose_ref or session.purpose_ref,
        ttl_s=ttl_s,
        at=at,
        by=by,
    )


def ask_station(
    *,
    station: ChargingStation,
    wish: Mapping[str, Any],
    idempotency_key: str,
    at: datetime,
    by: Principal,
) -> StationCommand:
    """Queue what an operator asks of a station; `wish` has the keys of the API's `CommandIn`.

    Connector and session are public ids and must belong to this station. What the station's
    version cannot be told is refused here. Raises NoSuchConnector, NoSuchSession, TokenRefused,
    CommandImpossible, CommandMalformed.
    """
    if wish["action"] == CommandAction.REMOTE_START:
        return remote_start(
            connector_id=_connector(station, wish).pk,
            token_uid=wish["token"],
            idempotency_key=idempotency_key,
            at=at,
            by=by,
        )
    if wish["action"] == CommandAction.REMOTE_STOP:
        return remote_stop(
            session_id=_session(station, wish).pk,
            idempotency_key=idempotency_key,
            at=at,
            by=by,
        )
    connector = _connector(station, wish) if wish.get("connector") else None
    payload = {**wish.get("payload", {}), **_arguments(wish)}
    check_command(
        station=station, action=wish["action"], payload=payload, connector=connector, at=at
    )
    return queue_command(
        station_id=station.pk,
        connector_id=connector.pk if connector else None,
        action=wish["action"],
        payload=payload,
        idempotency_key=idempotency_key,
        at=at,
        by=by,
    )


def _arguments(wish: Mapping[str, Any]) -> dict[str, Any]:
    """Of the wish, what the action's payload knows."""
    name = {
        CommandAction.RESET: "kind",
        CommandAction.CHANGE_AVAILABILITY: "operative",
        CommandAction.TRIGGER: "message",
    }.get(wish["action"])
    return {name: wish[name]} if name else {}


def _connector(station: ChargingStation, wish: Mapping[str, Any]) -> Connector:
    own = Connector.objects.filter(evse__station=station)
    connector = own.filter(public_id=wish["connector"]).first()
    if connector is None:
        raise NoSuchConnector
    return connector


def _session(station: ChargingStation, wish: Mapping[str, Any]) -> ChargingSession:
    session = ChargingSession.objects.filter(station=station, public_id=wish["session"]).first()
    if session is None:
        raise NoSuchSession
    return session
