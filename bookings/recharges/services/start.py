"""Starting a charge: prices shown, money promised, charger asked – and then waiting for its word."""

import datetime
import uuid
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.payments.models import Payment
from bookings.payments.services import (
    PaymentActionRequired,
    authorise_payment,
    open_payment,
    void_payment,
)
from bookings.payments.states import Purpose
from bookings.recharges import rules
from bookings.recharges.events import RechargeFailed
from bookings.recharges.models import Recharge
from bookings.recharges.queries import (
    NoChargingPrice,
    connector_by_id,
    terms_of,
    why_unusable,
)
from bookings.recharges.services.purpose import KEEPER, locked_recharge, purpose_ref
from bookings.recharges.states import Origin, RechargeState
from charging.sessions.services import ensure_token, remote_start
from charging.sessions.states import TokenKind
from charging.stations.models import Connector
from charging.stations.states import COMMAND_OPEN, CommandState, ConnectorStatus
from charging.tariffs.models import TariffVersion
from charging.tariffs.queries import version_for_connector
from mobility.accounts.models import User
from mobility.core import ids, outbox
from mobility.core.errors import Conflict, DomainError, Invalid
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace, move


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


class LimitOutOfRange(Invalid):
    """The spending limit is too low to start with, or too high to promise."""

    code = "limit_out_of_range"
    message = _("A spending limit is between %(least)s and %(most)s cents.")


def start_recharge(
    *,
    user: User,
    connector_id: uuid.UUID,
    at: datetime.datetime,
    limit_cents: int | None = None,
    method_id: int | None = None,
) -> Recharge:
    """Buy a charge at a connector, in three steps with nobody waiting inside a transaction.

    1. Claim: the connector works, nobody charges there or keeps it, and its price is known; the
       row is there and two unique indexes have decided. `limit_cents` is the most it may cost,
       without it 20 €, at fast chargers 40 €.
    2. Money: the limit is promised on the card (`PaymentActionRequired`: the person must confirm
       first, and then calls again).
    3. Charger: it is asked to start for the person's own token.

    The recharge is `starting` until the charger reports the session. Called again for the same
    connector it goes on where it was. Raises `ConnectorNotFound`, `LimitOutOfRange`,
    `ConnectorBusy`, `NoChargingPrice`, `RechargeUnderway`, `ChargerOffline` and what payments
    raise; then nothing is due and nobody waits. Never inside a transaction.
    """
    recharge = claim_recharge(
        user=user,
        connector=connector_by_id(public_id=connector_id),
        limit_cents=limit_cents,
        method_id=method_id,
        at=at,
    )
    return continue_start(recharge=recharge, at=at)


def continue_start(*, recharge: Recharge, at: datetime.datetime) -> Recharge:
    """The second and third step: have the money promised, then ask the charger.

    Doing it twice is doing it once: the provider knows its key, and the charger is asked once.
    """
    _promise(recharge, at=at)
    try:
        with transaction.atomic():
            _ask_charger(recharge, at=at)
    except DomainError as refusal:
        _give_up(recharge, failure=refusal.code, at=at)
        raise
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
    outbox.publish(
        RechargeFailed(
            recharge_id=str(recharge.public_id),
            organisation_id=recharge.organisation_id,
            connector_id=str(recharge.connector.public_id),
            origin=recharge.origin,
            failure=failure,
        ),
        at=at,
    )
    if recharge.payment is not None:
        recharge.payment.refresh_from_db()
        void_payment(payment=recharge.payment, at=at, by=by)


def claim_recharge(
    *,
    user: User,
    connector: Connector,
    at: datetime.datetime,
    limit_cents: int | None = None,
    method_id: int | None = None,
    origin: str = Origin.APP,
) -> Recharge:
    """The first step of a start: the row that keeps the connector, with its payment opened.

    Raises what `start_recharge` does of a claim.
    """
    refuse_unusable(connector=connector, user=user, at=at)
    _refuse_limit(limit_cents)
    version = _version(connector, at=at)
    promised = rules.preauth_cents(fast=connector.is_fast, limit_cents=limit_cents)
    recharge = Recharge(
        public_id=ids.uuid7(),
        user=user,
        organisation_id=connector.evse.station.site.organisation_id,
        connector=connector,
        origin=origin,
        token_uid=rules.app_token_uid(user_public_id=user.public_id, secret=settings.SECRET_KEY),
        limit_cents=promised,
        terms=terms_of(version, time_zone=connector.evse.station.site.time_zone),
        requested_at=at,
        waiting_since=at,
    )
    with transaction.atomic():
        begun = _insert(recharge)
        if begun is not None:
            return begun
        recharge.payment = open_payment(
            payer_id=user.pk,
            organisation_id=recharge.organisation_id,
            purpose=Purpose.RECHARGE,
            purpose_ref=recharge.public_id,
            cents=promised,
            currency=version.tariff.currency,
            method_id=method_id,
            vat_rates={Decimal(part["vat_rate"]) for part in version.components},
            at=at,
        )
        recharge.save(update_fields=["payment"])
    return recharge


def _promise(recharge: Recharge, *, at: datetime.datetime) -> None:
    """Ask for the money outside of any transaction; a refusal ends the start."""
    if recharge.payment_id is None:
        return
    try:
        recharge.payment = _promised(recharge.payment_id, at=at)
    except PaymentActionRequired:
        # The sweep counts from when the person can have confirmed it.
        later = at + rules.ACTION_PATIENCE - rules.UNASKED_PATIENCE
        Recharge.objects.filter(pk=recharge.pk).update(waiting_since=later)
        raise
    except DomainError as refusal:
        _give_up(recharge, failure=refusal.code, at=at)
        raise


def _promised(payment_id: int, *, at: datetime.datetime) -> Payment:
    try:
        return authorise_payment(payment_id=payment_id, at=at)
    except LostRace:
        # Another tap of the same person has the answer booked; it counts for both, a refusal too.
        return authorise_payment(payment_id=payment_id, at=at)


def _give_up(recharge: Recharge, *, failure: str, at: datetime.datetime) -> None:
    with transaction.atomic():
        mine = locked_recharge(purpose_ref(recharge))
        if mine is not None and mine.half_started:
            fail_recharge(recharge=mine, failure=failure[:40], at=at, by=KEEPER)


def _ask_charger(recharge: Recharge, *, at: datetime.datetime) -> None:
    """Ask once; a start that was called off meanwhile, or is asked for already, is left alone."""
    mine = locked_recharge(purpose_ref(recharge))
    if mine is None or mine.state != RechargeState.STARTING or mine.commands:
        recharge.refresh_from_db(fields=["state", "failure"])
        return
    by = recharge.user.principal
    ensure_token(uid=recharge.token_uid, kind=TokenKind.APP, owner_ref=by, at=at, by=by)
    command = remote_start(
        connector_id=recharge.connector_id,
        token_uid=recharge.token_uid,
        idempotency_key=purpose_ref(recharge),
        purpose_ref=purpose_ref(recharge),
        limit_cents=recharge.limit_cents,
        ttl_s=rules.COMMAND_TTL_S,
        at=at,
        by=by,
    )
    if command.state not in COMMAND_OPEN:
        raise ChargerOffline
    Recharge.objects.filter(pk=recharge.pk).update(commands=1, waiting_since=at)
    recharge.commands, recharge.waiting_since = 1, at


def refuse_unusable(
    *, connector: Connector, at: datetime.datetime, user: User | None = None
) -> None:
    """Raise `ChargerOffline` or `ConnectorBusy` where this person cannot charge now."""
    status = why_unusable(connector=connector, at=at, user_id=user.pk if user else None)
    if status == ConnectorStatus.UNKNOWN:
        raise ChargerOffline
    if status:
        raise ConnectorBusy(extra={"connector_status": status})


def _refuse_limit(limit_cents: int | None) -> None:
    least, most = rules.LEAST_LIMIT_CENTS, rules.MOST_LIMIT_CENTS
    if limit_cents is not None and not least <= limit_cents <= most:
        raise LimitOutOfRange(least=least, most=most, extra={"least": least, "most": most})


def _version(connector: Connector, *, at: datetime.datetime) -> TariffVersion:
    version = version_for_connector(connector_id=connector.pk, at=at)
    if version is None:
        raise NoChargingPrice
    return version


def _insert(recharge: Recharge) -> Recharge | None:
    """Two unique indexes decide: one charge per person, one per connector.

    Returns the person's own start at this connector that stopped half way, for going on with it.
    """
    try:
        with transaction.atomic():
            recharge.save(force_insert=True)
    except IntegrityError as problem:
        if not isinstance(problem.__cause__, UniqueViolation):
            raise
        if problem.__cause__.diag.constraint_name == "one_active_recharge":
            return _own_start(recharge)
        raise ConnectorBusy(extra={"connector_status": "Occupied"}) from problem
    return None


def _own_start(recharge: Recharge) -> Recharge:
    mine = (
        Recharge.objects.with_story()
        .active()
        .exclude(origin=Origin.CARD)
        .filter(user=recharge.user)
        .first()
    )
    if mine is not None and mine.connector_id == recharge.connector_id and mine.half_started:
        return mine
    raise RechargeUnderway(extra={"recharge": str(mine.public_id)} if mine else {})
