"""What chargers tell of sessions: of those we asked for, of late ones, and of cards' own."""

import datetime
import uuid

from django.db import transaction

from bookings.recharges.events import RechargeStarted
from bookings.recharges.models import KeptConnector, Recharge
from bookings.recharges.queries import terms_of
from bookings.recharges.services.keep import use_kept
from bookings.recharges.services.purpose import KEEPER, locked_recharge
from bookings.recharges.services.start import fail_recharge
from bookings.recharges.services.stop import ask_to_stop
from bookings.recharges.states import ACTIVE, KeptState, Origin, RechargeState, StopReason
from charging.sessions.models import ChargingSession, Token
from charging.sessions.states import TokenKind
from charging.tariffs.models import TariffVersion
from charging.tariffs.queries import version_for_connector
from mobility.accounts.models import User
from mobility.core import outbox
from mobility.core.transitions import move

_PERSON = "user:"


def note_session_started(
    *, ref: str, session_id: uuid.UUID, started_at: datetime.datetime, at: datetime.datetime
) -> None:
    """Current flows for a recharge. One that we had given up is stopped again, free of charge."""
    with transaction.atomic():
        recharge = locked_recharge(ref)
        if recharge is None:
            return
        session = ChargingSession.objects.get(public_id=session_id)
        if recharge.state == RechargeState.START_FAILED:
            _undo(recharge, session, at=at)
        elif recharge.state == RechargeState.STARTING:
            move(
                recharge,
                to=RechargeState.CHARGING,
                at=at,
                by=KEEPER,
                session=session,
                started_at=started_at,
                waiting_since=None,
            )
            _begun(recharge, at=at)


def adopt_session(
    *, owner_ref: str, session_id: uuid.UUID, at: datetime.datetime
) -> Recharge | None:
    """A session that a person began with a card of their own is their recharge, from now on.

    `None` if it was no person's card: an app's token without a purpose is the late fruit of a start
    that was called off, and who was told that they pay nothing pays nothing. Doing it twice is
    doing it once.
    """
    if not owner_ref.startswith(_PERSON):
        return None
    with transaction.atomic():
        session = (
            ChargingSession.objects.select_for_update(of=("self",))
            .select_related("station__site", "tariff_version__tariff")
            .get(public_id=session_id)
        )
        card = Token.objects.filter(uid=session.token_uid, owner_ref=owner_ref, kind=TokenKind.RFID)
        user = User.objects.filter(public_id=_uuid(owner_ref.removeprefix(_PERSON))).first()
        if user is None or session.connector_id is None or session.started_at is None:
            return None
        if not card.exists():
            return None
        known = Recharge.objects.filter(session=session).first()
        return known or _adopt(user, session, at=at)


def note_connector_failed(*, connector_id: uuid.UUID, at: datetime.datetime) -> None:
    """A connector broke: who waits for it is let go, and who charges there pays no idling."""
    with transaction.atomic():
        hit = list(
            Recharge.objects.select_for_update(of=("self",))
            .select_related("payment__organisation", "connector")
            .filter(connector__public_id=connector_id, state__in=ACTIVE, faulted_at__isnull=True)
        )
        Recharge.objects.filter(pk__in=[row.pk for row in hit]).update(faulted_at=at)
        for recharge in hit:
            if recharge.state == RechargeState.STARTING:
                fail_recharge(recharge=recharge, failure="charger_failed", at=at, by=KEEPER)


def _adopt(user: User, session: ChargingSession, *, at: datetime.datetime) -> Recharge:
    version = session.tariff_version or _version(session)
    # Only sessions with a connector are adopted; this narrows the type.
    assert session.connector_id is not None
    recharge = Recharge.objects.create(
        user=user,
        organisation_id=session.station.site.organisation_id,
        connector_id=session.connector_id,
        session=session,
        origin=Origin.CARD,
        state=RechargeState.CHARGING,
        token_uid=session.token_uid,
        terms=terms_of(version, time_zone=session.station.site.time_zone)
        if version
        else {"currency": session.currency, "components": []},
        requested_at=at,
        started_at=session.started_at,
    )
    _begun(recharge, at=at)
    return recharge


def _version(session: ChargingSession) -> TariffVersion | None:
    # Only sessions with both are adopted; this narrows the types.
    assert session.connector_id is not None
    assert session.started_at is not None
    return version_for_connector(connector_id=session.connector_id, at=session.started_at)


def _undo(recharge: Recharge, session: ChargingSession, *, at: datetime.datetime) -> None:
    """The charger began after all; it is asked to stop until it does, and nothing is charged."""
    Recharge.objects.filter(pk=recharge.pk).update(
        session=session, stop_reason=StopReason.CALLED_OFF, stop_wished_at=at
    )
    recharge.session = session
    ask_to_stop(recharge=recharge, at=at, by=KEEPER)


def _begun(recharge: Recharge, *, at: datetime.datetime) -> None:
    """Tell it; who charges where a connector was kept for them has used it."""
    # Only begun charges come here; this narrows the type.
    assert recharge.started_at is not None
    outbox.publish(
        RechargeStarted(
            recharge_id=str(recharge.public_id),
            organisation_id=recharge.organisation_id,
            connector_id=str(recharge.connector.public_id),
            origin=recharge.origin,
            started_at=recharge.started_at,
        ),
        at=at,
    )
    kept = KeptConnector.objects.filter(
        user=recharge.user_id, connector=recharge.connector_id, state=KeptState.HELD
    ).first()
    if kept is not None:
        use_kept(kept=kept, at=at, by=KEEPER)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
