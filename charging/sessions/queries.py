"""Reads about charging sessions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from charging.sessions.models import ChargingSession, Token
from charging.sessions.rules import normal_uid
from charging.sessions.states import SESSION_OPEN
from charging.stations.models import Connector
from charging.stations.states import ConnectorStatus
from mobility.accounts.models import User
from mobility.core.principals import user_principal

_PERSON: Final = user_principal("")
_BROKEN: Final = frozenset({ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE})
# A charger notes the plug some time after the driver pushed it in, and may have done so before
# the tap that says "I am done".
_PLUGGED_BEFORE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugAtHub:
    """What the chargers of a hub say about one vehicle's cable.

    `working` of its `connectors` are connected and in order: none of several means that a driver
    cannot plug in there, however willing.
    """

    charging: bool
    session_id: str
    working: int
    connectors: int

    @property
    def broken(self) -> bool:
        """Whether there are chargers, and not one of them works."""
        return self.connectors > 0 and self.working == 0


def session_pk(*, public_id: str) -> int:
    """The row behind a session's public id; raises ChargingSession.DoesNotExist."""
    pk: int = ChargingSession.objects.values_list("pk", flat=True).get(public_id=public_id)
    return pk


def driver_languages(*, uids: Collection[str]) -> dict[str, str]:
    """The languages of the people who hold tokens, by token as it was given; others have none."""
    wanted = {normal_uid(uid): uid for uid in uids}
    if not wanted:
        return {}
    tokens = Token.objects.filter(uid__in=wanted, owner_ref__startswith=_PERSON)
    owners = dict(tokens.values_list("uid", "owner_ref"))
    people = User.objects.filter(
        public_id__in=[ref.removeprefix(_PERSON) for ref in owners.values()]
    )
    spoken: dict[str, str] = {
        user_principal(pk): one for pk, one in people.values_list("public_id", "language")
    }
    return {wanted[uid]: spoken[ref] for uid, ref in owners.items() if ref in spoken}


def plug_at_hub(
    *, hub_id: int, owner_refs: Collection[str], since: datetime, at: datetime
) -> PlugAtHub:
    """Whether a session of one of `owner_refs` is open at the hub's chargers, begun around `since`.

    Both the vehicle's own token and that of the person who rides it count, as whoever holds the
    cable shows either. A session that began and ended since counts as well: a full battery ends it.
    """
    connectors = Connector.objects.filter(evse__station__site__hub_id=hub_id)
    rows = list(connectors.values_list("status", "evse__station__connected_at"))
    working = sum(connected is not None and status not in _BROKEN for status, connected in rows)
    session = (
        ChargingSession.objects.filter(
            connector__evse__station__site__hub_id=hub_id, owner_ref__in=set(owner_refs) - {""}
        )
        .filter(Q(state__in=SESSION_OPEN) | Q(ended_at__gte=since))
        .filter(started_at__gte=since - _PLUGGED_BEFORE, started_at__lte=at)
        .order_by("-id")
        .first()
    )
    return PlugAtHub(
        charging=session is not None,
        session_id=str(session.public_id) if session else "",
        working=working,
        connectors=len(rows),
    )


def open_session_at(*, connector_id: int) -> ChargingSession | None:
    """The session that keeps a connector busy."""
    return ChargingSession.objects.open().filter(connector_id=connector_id).order_by("-id").first()


def tokens_of(*, owner_ref: str) -> QuerySet[Token]:
    """Everything that charges in the name of one owner, oldest first."""
    return Token.objects.filter(owner_ref=owner_ref).order_by("pk")
