"""Starting a charge: prices shown, money promised, charger asked – and then waiting for its word."""

import datetime
import uuid

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.payments.services import authorise_payment, void_payment
from bookings.payments.states import Purpose
from bookings.recharges import rules
from bookings.recharges.models import Recharge
from bookings.recharges.queries import connector_by_id, terms_of
from bookings.recharges.services.purpose import KEEPER, locked_recharge, purpose_ref
from bookings.recharges.states import RechargeState
from charging.sessions.models import ChargingSession
from charging.sessions.services import ensure_token, remote_start, remote_stop
from charging.sessions.states import TokenKind
from charging.stations.models import Connector
from charging.stations.states import COMMAND_OPEN, CommandState, ConnectorStatus
from charging.tariffs.models import TariffVersion
from charging.tariffs.queries import version_for_connector
from mobility.accounts.models import User
from mobility.core import ids
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import move


class ConnectorBusy(Conflict):
    """Somebody charges there, or it is out of order; `extra["connector_status"]` says which."""

    code = "connector_busy"
    message = _("This connector cannot be used right now. Please choose another one.")


class RechargeUnderway(Conflict):
    """The person charges already; `extra["recharge"]` says where."""

    code = "recharge_underway"
    message = _("You are charging already. Stop that charge first.")


class ChargerOffline(Conflict):
    """The charger is not connected to us."""

    code = "charger_offline"
    message = _("This charger is not reachable right now. Please choose another one.")


class NoChargingPrice(Conflict):
    """Nobody charges at a price that nobody knows."""

    code = "no_price"
    message = _("There is no published price for this charger. Please choose another one.")


UNUSABLE = frozenset({ConnectorStatus.FAULTED, ConnectorStatus.UNAVAILABLE})


def start_recharge(*, user: User, connector_id: uuid.UUID, at: datetime.datetime) -> Recharge:
    """Buy a charge at a connector.

    1. The connector works, nobody charges there, and its price is known.
    2. Money is promised on the person's card: 20 €, at fast chargers 40 €.
    3. The charger is asked to start for the person's own token.

    The recharge is `starting` until the charger reports the session. Raises `ConnectorNotFound`,
    `ConnectorBusy`, `NoChargingPrice`, `RechargeUnderway`, `ChargerOffline` and what payments
    raise; then nothing is left behind.
    """
    connector = connector_by_id(public_id=connector_id)
    _refuse_unusable(connector)
    version = _version(connector, at=at)
    recharge = Recharge(
        public_id=ids.uuid7(),
        user=user,
        organisation_id=connector.evse.station.site.organisation_id,
        connector=connector,
        token_uid=rules.app_token_uid(user_public_id=user.public_id, secret=settings.SECRET_KEY),
        terms=terms_of(version),
        requested_at=at,
        waiting_since=at,
        commands=1,
    )
    with transaction.atomic():
        _insert(recharge)
        recharge.payment = authorise_payment(
            payer_id=user.pk,
            organisation_id=recharge.organisation_id,
            purpose=Purpose.RECHARGE,
            purpose_ref=recharge.public_id,
            cents=rules.preauth_cents(fast=connector.is_fast),
            currency=version.tariff.currency,
            at=at,
        )
        recharge.save(update_fields=["payment"])
        _ask_charger(recharge, at=at)
    return recharge


def note_start_answer(*, ref: str, state: str, at: datetime.datetime) -> None:
    """The charger agreed to start, and we wait for the plug; or it did not, and nothing is due."""
    with transaction.atomic():
        recharge = locked_recharge(ref)
        if recharge is None or recharge.state != RechargeState.STARTING:
            return
        if state == CommandState.ACCEPTED:
            Recharge.objects.filter(pk=recharge.pk).update(waiting_since=at)
        else:
            fail_recharge(recharge=recharge, failure=f"start_{state}", at=at, by=KEEPER)


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
            remote_stop(
                session_id=session.pk,
                idempotency_key=f"{ref}:undo",
                purpose_ref=f"{ref}:undo",
                at=at,
                by=KEEPER,
            )
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


def fail_recharge(
    *, recharge: Recharge, failure: str, at: datetime.datetime, by: Principal
) -> None:
    """The charge never began: nothing is due and the card is free again."""
    move(
        recharge,
        to=RechargeState.START_FAILED,
        at=at,
        by=by,
        reason=failure,
        failure=failure,
        waiting_since=None,
    )
    if recharge.payment is not None:
        void_payment(payment=recharge.payment, at=at, by=by)


def _refuse_unusable(connector: Connector) -> None:
    if connector.status in UNUSABLE:
        raise ConnectorBusy(extra={"connector_status": connector.status})
    if ChargingSession.objects.open().filter(connector=connector).exists():
        raise ConnectorBusy(extra={"connector_status": "Occupied"})


def _version(connector: Connector, *, at: datetime.datetime) -> TariffVersion:
    version = version_for_connector(connector_id=connector.pk, at=at)
    if version is None:
        raise NoChargingPrice
    return version


def _insert(recharge: Recharge) -> None:
    """Two unique indexes decide: one charge per person, one per connector."""
    try:
        with transaction.atomic():
            recharge.save(force_insert=True)
    except IntegrityError as problem:
        if not isinstance(problem.__cause__, UniqueViolation):
            raise
        if problem.__cause__.diag.constraint_name == "one_active_recharge":
            mine = Recharge.objects.active().filter(user=recharge.user).first()
            extra = {"recharge": str(mine.public_id)} if mine else {}
            raise RechargeUnderway(extra=extra) from problem
        raise ConnectorBusy(extra={"connector_status": "Occupied"}) from problem


def _ask_charger(recharge: Recharge, *, at: datetime.datetime) -> None:
    by = recharge.user.principal
    ensure_token(uid=recharge.token_uid, kind=TokenKind.APP, owner_ref=by, at=at, by=by)
    command = remote_start(
        connector_id=recharge.connector_id,
        token_uid=recharge.token_uid,
        idempotency_key=purpose_ref(recharge),
        purpose_ref=purpose_ref(recharge),
        ttl_s=rules.COMMAND_TTL_S,
        at=at,
        by=by,
    )
    if command.state not in COMMAND_OPEN:
        raise ChargerOffline
