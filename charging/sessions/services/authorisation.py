"""Whether a token may charge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from charging.sessions.facts import AuthorizationAsk, AuthorizationStatus, AuthorizationVerdict
from charging.sessions.models import ChargingSession, Token
from charging.sessions.rules import (
    TokenPlaces,
    judge_place,
    judge_token,
    may_stop,
    normal_uid,
)
from charging.sessions.states import TokenState
from charging.stations.models import Evse

# 2.x stations with a start button show no token at all; whoever stands there may charge.
NO_AUTHORIZATION = "NoAuthorization"
INVALID = AuthorizationVerdict(status=AuthorizationStatus.INVALID)
ACCEPTED = AuthorizationVerdict(status=AuthorizationStatus.ACCEPTED)
CONCURRENT = AuthorizationVerdict(status=AuthorizationStatus.CONCURRENT)


EVERYWHERE = TokenPlaces()


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as authorisation needs it."""

    blocked: bool
    expires_at: datetime | None
    group: str
    allows_parallel: bool
    owner_ref: str
    is_master: bool = False
    places: TokenPlaces = EVERYWHERE


def authorize_many(
    *,
    asks: Sequence[AuthorizationAsk],
    at: datetime,
) -> list[AuthorizationVerdict]:
    """Verdicts in the order of the asks, with one query; one more where tokens are bound to places.

    Whether the token already charges elsewhere is judged at the start, as both OCPP versions
    have it: an authorisation may as well be meant to stop.
    """
    tokens = tokens_by_uid(ask.uid for ask in asks)
    grounds = Grounds(tokens, station_ids={ask.station_id for ask in asks})
    return [
        grounds.judge(
            verdict_on(tokens, uid=ask.uid, token_kind=ask.token_kind, at=at),
            uid=ask.uid,
            station_id=ask.station_id,
        )
        for ask in asks
    ]


def authorize(*, uid: str, station_id: int, at: datetime) -> AuthorizationVerdict:
    """The verdict on one token shown at a station."""
    return authorize_many(asks=[AuthorizationAsk(station_id=station_id, uid=uid)], at=at)[0]


def authorize_start(
    *, uid: str, station_id: int, evse_number: int, at: datetime
) -> AuthorizationVerdict:
    """The verdict on a token that is to begin a session at an EVSE."""
    tokens = tokens_by_uid([uid])
    return Grounds(tokens, station_ids={station_id}).judge(
        starting_verdict(tokens, verdict_on(tokens, uid=uid, at=at), uid=uid),
        uid=uid,
        station_id=station_id,
        evse_number=evse_number,
    )


def tokens_by_uid(uids: Iterable[str]) -> dict[str, TokenRow]:
    """Tokens by their normal identifier; unknown ones are absent."""
    rows = Token.objects.filter(uid__in={normal_uid(uid) for uid in uids}).values_list(
        "uid",
        "state",
        "expires_at",
        "group",
        "allows_parallel",
        "owner_ref",
        "is_master",
        "only_sites",
        "only_evses",
    )
    return {
        uid: TokenRow(
            state == TokenState.BLOCKED,
            expires_at,
            group,
            parallel,
            owner_ref,
            is_master,
            TokenPlaces(tuple(sites), tuple(evses)),
        )
        for uid, state, expires_at, group, parallel, owner_ref, is_master, sites, evses in rows
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


def starting_verdict(
    tokens: dict[str, TokenRow], verdict: AuthorizationVerdict, *, uid: str
) -> AuthorizationVerdict:
    """What becomes of a verdict when a session is to begin: a master pass begins none (C16)."""
    token = tokens.get(normal_uid(uid))
    if token is not None and token.is_master and verdict.accepted:
        return replace(verdict, status=AuthorizationStatus.INVALID)
    return verdict


def ends_rightly(tokens: dict[str, TokenRow], *, uid: str, owner_uid: str) -> bool:
    """Whether the token `uid` may end a session of the token `owner_uid`, both loaded."""
    token, owner = tokens.get(normal_uid(uid)), tokens.get(owner_uid)
    return may_stop(
        uid=normal_uid(uid),
        group=token.group if token else "",
        is_master=token is not None and token.is_master,
        owner_uid=owner_uid,
        owner_group=owner.group if owner else "",
    )


class Grounds:
    """The stations' sites and EVSEs, looked up only if one of the tokens is bound to places."""

    def __init__(self, tokens: dict[str, TokenRow], *, station_ids: set[int]) -> None:
        self._tokens = tokens
        self._sites: dict[int, int] = {}
        self._evses: defaultdict[int, dict[int, int]] = defaultdict(dict)
        if not any(token.places for token in tokens.values()):
            return
        rows = Evse.objects.filter(station_id__in=station_ids)
        for pk, number, station_id, site_id in rows.values_list(
            "pk", "number", "station_id", "station__site_id"
        ):
            self._sites[station_id] = site_id
            self._evses[station_id][pk] = number

    def judge(
        self,
        verdict: AuthorizationVerdict,
        *,
        uid: str,
        station_id: int,
        evse_number: int | None = None,
    ) -> AuthorizationVerdict:
        """The verdict at this station, and where the EVSE is known at this EVSE."""
        token = self._tokens.get(normal_uid(uid))
        if token is None or not token.places:
            return verdict
        return judge_place(
            verdict,
            places=token.places,
            site_id=self._sites.get(station_id, 0),
            evses=self._evses[station_id],
            evse_number=evse_number,
        )


class OpenSessions:
    """Where tokens charge right now; grows while a batch of starts is worked off."""

    def __init__(self, uids: Iterable[str]) -> None:
        # A start that was refused is no charge, though its station has yet to end it.
        rows = (
            ChargingSession.objects.open()
            .filter(verdict__in=["", AuthorizationStatus.ACCEPTED])
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
        **({"evses": list(verdict.evse_numbers)} if verdict.evse_numbers else {}),
    }


def verdict_from_json(data: dict[str, Any]) -> AuthorizationVerdict:
    """The verdict that `verdict_as_json` wrote."""
    expires_at = data["expires_at"]
    return AuthorizationVerdict(
        status=AuthorizationStatus(data["status"]),
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
        group=data["group"],
        evse_numbers=tuple(data.get("evses", ())),
    )
