"""Keeping a connector for somebody who is on the way."""

import datetime
import uuid

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.services import refuse_debtor
from bookings.recharges import rules
from bookings.recharges.models import KeptConnector
from bookings.recharges.queries import connector_by_id, why_unusable
from bookings.recharges.services.purpose import KEEPER
from bookings.recharges.services.start import ChargerOffline, ConnectorBusy
from bookings.recharges.states import KeptState
from charging.sessions.services import ensure_token
from charging.sessions.states import TokenKind
from charging.stations.models import Connector
from charging.stations.services import (
    ConnectorTaken,
    hold_connector,
    queue_command,
    release_connector,
)
from charging.stations.states import CommandAction, CommandState, ConnectorStatus
from mobility.accounts.models import User
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import Principal
from mobility.core.transitions import move

_PREFIX = "kept"
# The station says these where it can reserve, and somebody or something is in the way.
_IN_THE_WAY = frozenset({"Occupied", "Faulted", "Unavailable"})


class AlreadyKeeping(Conflict):
    """The person has a connector kept elsewhere; `extra["hold"]` says which."""

    code = "connector_hold_underway"
    message = _("A connector is reserved for you already. Give it free first.")


class KeptTooRecently(Conflict):
    """The same person let the same connector lapse a moment ago."""

    code = "connector_hold_too_soon"
    message = _("You reserved this connector a moment ago. Please choose another one, or just go.")


class KeepTooLong(Invalid):
    """Longer than anybody may keep others waiting."""

    code = "connector_hold_too_long"
    message = _("A connector is reserved for at most %(most)s minutes.")


def keep_connector(
    *,
    user: User,
    connector_id: uuid.UUID,
    at: datetime.datetime,
    minutes: int = rules.KEEP_MINUTES,
) -> KeptConnector:
    """Reserve a connector for up to half an hour, free of charge.

    1. It works, is free, and the person neither owes money nor keeps another one.
    2. The hold's exclusion constraint decides who was first.
    3. The charger is told after the commit; one that cannot reserve is kept by the apps alone.

    Raises `ConnectorNotFound`, `KeepTooLong`, `ChargerOffline`, `ConnectorBusy`, `AlreadyKeeping`,
    `KeptTooRecently`, `DebtOutstanding`.
    """
    if not 1 <= minutes <= rules.MOST_KEEP_MINUTES:
        raise KeepTooLong(most=rules.MOST_KEEP_MINUTES)
    connector = connector_by_id(public_id=connector_id)
    _refuse(connector, user=user, at=at)
    until = at + datetime.timedelta(minutes=minutes)
    with transaction.atomic():
        kept = _insert(user, connector, at=at, until=until)
        _tell_charger(kept, at=at)
    return kept


def release_kept(*, kept: KeptConnector, at: datetime.datetime, by: Principal) -> KeptConnector:
    """Give a kept connector free; doing it twice is doing it once."""
    with transaction.atomic():
        if kept.state == KeptState.HELD:
            _end(kept, to=KeptState.RELEASED, at=at, by=by)
    return kept


def use_kept(*, kept: KeptConnector, at: datetime.datetime, by: Principal) -> None:
    """The person charges there now; in the caller's transaction."""
    _end(kept, to=KeptState.USED, at=at, by=by, tell=False)


def expire_kept(*, kept: KeptConnector, at: datetime.datetime) -> None:
    """Nobody came in time; in the caller's transaction. The charger counts for itself."""
    _end(kept, to=KeptState.EXPIRED, at=at, by=KEEPER, tell=False)


def note_reserve_answer(*, ref: str, state: str, said: str, at: datetime.datetime) -> None:
    """The charger keeps the connector itself, or cannot, or knows that somebody stands there."""
    prefix, _colon, name = ref.partition(":")
    if prefix != _PREFIX:
        return
    with transaction.atomic():
        kept = (
            KeptConnector.objects.select_for_update(of=("self",))
            .select_related("hold", "connector__evse")
            .filter(public_id=uuid.UUID(name), state=KeptState.HELD)
            .first()
        )
        if kept is None:
            return
        if state == CommandState.ACCEPTED:
            KeptConnector.objects.filter(pk=kept.pk).update(charger_knows=True)
        elif said in _IN_THE_WAY:
            _end(kept, to=KeptState.REFUSED, at=at, by=KEEPER, tell=False)


def note_reservation_ended(
    *, number: int, station_identity: str, said: str, at: datetime.datetime
) -> None:
    """The charger gave up the reservation by itself: its time was over, or it broke."""
    with transaction.atomic():
        kept = (
            KeptConnector.objects.select_for_update(of=("self",))
            .select_related("hold", "connector__evse")
            .filter(
                pk=number,
                state=KeptState.HELD,
                connector__evse__station__identity=station_identity,
            )
            .first()
        )
        if kept is not None:
            to = KeptState.REFUSED if said == "Removed" else KeptState.EXPIRED
            _end(kept, to=to, at=at, by=KEEPER, tell=False)


def _refuse(connector: Connector, *, user: User, at: datetime.datetime) -> None:
    refuse_debtor(payer_id=user.pk)
    status = why_unusable(connector=connector, at=at)
    if status == ConnectorStatus.UNKNOWN:
        raise ChargerOffline
    if status or connector.status != ConnectorStatus.AVAILABLE:
        raise ConnectorBusy(extra={"connector_status": status or connector.status})
    lapsed = KeptConnector.objects.filter(
        user=user,
        connector=connector,
        state__in=[KeptState.EXPIRED, KeptState.RELEASED],
        until__gt=at - rules.KEEP_AGAIN_AFTER,
    )
    if lapsed.exists():
        raise KeptTooRecently


def _insert(
    user: User, connector: Connector, *, at: datetime.datetime, until: datetime.datetime
) -> KeptConnector:
    try:
        with transaction.atomic():
            hold = hold_connector(
                connector_id=connector.pk,
                since=at,
                until=until,
                holder_ref=user.principal,
                at=at,
                by=user.principal,
            )
            return KeptConnector.objects.create(
                user=user, connector=connector, hold=hold, created_at=at, until=until
            )
    except ConnectorTaken as problem:
        raise ConnectorBusy(extra={"connector_status": "Reserved"}) from problem
    except IntegrityError as problem:
        mine = KeptConnector.objects.filter(user=user, state=KeptState.HELD).first()
        raise AlreadyKeeping(extra={"hold": str(mine.public_id)} if mine else {}) from problem


def _tell_charger(kept: KeptConnector, *, at: datetime.datetime) -> None:
    uid = rules.app_token_uid(user_public_id=kept.user.public_id, secret=settings.SECRET_KEY)
    by = kept.user.principal
    ensure_token(uid=uid, kind=TokenKind.APP, owner_ref=by, at=at, by=by)
    queue_command(
        station_id=kept.connector.evse.station_id,
        connector_id=kept.connector_id,
        action=CommandAction.RESERVE,
        payload={
            "reservation_id": kept.pk,
            "token_uid": uid,
            "token_kind": "Central",
            "until": kept.until.isoformat().replace("+00:00", "Z"),
        },
        idempotency_key=f"{_PREFIX}:{kept.public_id}",
        purpose_ref=f"{_PREFIX}:{kept.public_id}",
        at=at,
        by=by,
    )


def _end(
    kept: KeptConnector, *, to: str, at: datetime.datetime, by: Principal, tell: bool = True
) -> None:
    move(kept, to=to, at=at, by=by)
    release_connector(hold_id=kept.hold_id, at=at, by=by)
    if tell and kept.charger_knows:
        queue_command(
            station_id=kept.connector.evse.station_id,
            connector_id=kept.connector_id,
            action=CommandAction.CANCEL_RESERVATION,
            payload={"reservation_id": kept.pk},
            idempotency_key=f"{_PREFIX}:{kept.public_id}:cancel",
            at=at,
            by=by,
        )
