"""Whether a token may charge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from charging.sessions.facts import AuthorizationAsk, AuthorizationStatus, AuthorizationVerdict
from charging.sessions.models import ChargingSession, Token
from charging.sessions.rules import judge_token, normal_uid
from charging.sessions.states import TokenState

# 2.x stations with a start button show no token at all; whoever stands there may charge.
NO_AUTHORIZATION = "NoAuthorization"
INVALID = AuthorizationVerdict(status=AuthorizationStatus.INVALID)
ACCEPTED = AuthorizationVerdict(status=AuthorizationStatus.ACCEPTED)
CONCURRENT = AuthorizationVerdict(status=AuthorizationStatus.CONCURRENT)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as authorisation needs it."""

    blocked: bool
    expires_at: datetime | None
    group: str
    allows_parallel: bool
    owner_ref: str


def authorize_many(
    *,
    asks: Sequence[AuthorizationAsk],
    at: datetime,
) -> list[AuthorizationVerdict]:
    """Verdicts in the order of the asks, with one query.

    Whether the token already charges elsewhere is judged at the start, as both OCPP versions
    have it: an authorisation may as well be meant to stop.
    """
    tokens = tokens_by_uid(ask.uid for ask in asks)
    return [verdict_on(tokens, uid=ask.uid, token_kind=ask.token_kind, at=at) for ask in asks]


def authorize(*, uid: str, station_id: int, at: datetime) -> AuthorizationVerdict:
    """The verdict on one token shown at a station."""
    return authorize_many(asks=[AuthorizationAsk(station_id=station_id, uid=uid)], at=at)[0]


def tokens_by_uid(uids: Iterable[str]) -> dict[str, TokenRow]:
    """Tokens by their normal identifier; unknown ones are absent."""
    rows = Token.objects.filter(uid__in={normal_uid(uid) for uid in uids}).values_list(
        "uid",
        "state",
        "expires_at",
        "group",
        "allows_parallel",
        "owner_ref",
    )
    return {
        uid: TokenRow(state == TokenState.BLOCKED, expires_at, group, parallel, owner_ref)
        for uid, state, expires_at, group, parallel, owner_ref in rows
    }


def verdict_on(
    tokens: dict[str, TokenRow],
    *,
    uid: str,
    at: datetime,
    token_kind: str = "",
) -> AuthorizationVerdict:
    """The verdict on a token that may or may not be among the loaded ones."""
    if token_kind == NO_AUTHORIZATION:
        return ACCEPTED
    token = tokens.get(normal_uid(uid))
    if token is None:
        return INVALID
    return judge_token(
        blocked=token.blocked,
        expires_at=token.expires_at,
        group=token.group,
        at=at,
    )


class OpenSessions:
    """Where tokens charge right now; grows while a batch of starts is worked off."""

    def __init__(self, uids: Iterable[str]) -> None:
        rows = (
            ChargingSession.objects.open()
            .filter(token_uid__in={normal_uid(uid) for uid in uids})
            .values_list("token_uid", "station_id", "connector_id", "transaction_ref")
        )
        self._places = {tuple(row) for row in rows}

    def judge(
        self,
        verdict: AuthorizationVerdict,
        *,
        token: TokenRow | None,
        uid: str,
        place: tuple[int, int | None, str],
    ) -> AuthorizationVerdict:
        """ConcurrentTx if an accepted token that may charge once already does so elsewhere.

        `place` is (station, connector, transaction). A session on the same connector does not
        count: a new one there says that the old one is over, even if its end got lost.
        """
        if not verdict.accepted or token is None or token.allows_parallel:
            return verdict
        station_id, connector_id, reference = place
        for other_uid, other_station, other_connector, other_reference in self._places:
            if other_uid != normal_uid(uid) or (other_station, other_reference) == (
                station_id,
                reference,
            ):
                continue
            if other_connector is None or other_connector != connector_id:
                return CONCURRENT
        self._places.add((normal_uid(uid), station_id, connector_id, reference))
        return verdict


def verdict_as_json(verdict: AuthorizationVerdict) -> dict[str, Any]:
    """The verdict as the inbox keeps it."""
    return {
        "status": str(verdict.status),
        "expires_at": verdict.expires_at.isoformat() if verdict.expires_at else None,
        "group": verdict.group,
    }


def verdict_from_json(data: dict[str, Any]) -> AuthorizationVerdict:
    """The verdict that `verdict_as_json` wrote."""
    expires_at = data["expires_at"]
    return AuthorizationVerdict(
        status=AuthorizationStatus(data["status"]),
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        group=data["group"],
    )
