"""A pass is bought, paid or not, and given back."""

import datetime
import uuid

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.passes import rules
from bookings.passes.events import PassActivated, PassNotPaid, PassReturned
from bookings.passes.models import Pass, PassProduct
from bookings.passes.states import PassShape, PassState
from bookings.payments.services import charge_directly, refuse_debtor, request_refund
from bookings.payments.states import Purpose
from mobility.accounts.models import User
from mobility.core import ids, locks, outbox
from mobility.core.errors import Conflict, NotFound
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import move

CASHIER = system_principal("passes")


class PassNotOnSale(NotFound):
    """No such pass on offer."""

    code = "pass_not_on_sale"
    message = _("This pass is not on sale. Please choose another one.")


class PassNotRenewable(Conflict):
    """A pass that ends for good."""

    code = "pass_not_renewable"
    message = _("This pass does not renew itself.")


class PassNotReturnable(Conflict):
    """Ridden on, too old, or not paid."""

    code = "pass_not_returnable"
    message = _("A pass can be given back within 14 days, as long as nobody has ridden on it.")


def buy_pass(
    *,
    product_id: uuid.UUID,
    user: User,
    at: datetime.datetime,
    by: Principal,
    auto_renew: bool = False,
    method_id: int | None = None,
) -> Pass:
    """Sell a pass on today's terms; it counts from the moment the money has come.

    1. Whoever owes an earlier ride pays it first (`DebtOutstanding`).
    2. The terms are frozen into the pass (`PassNotOnSale`, `PassNotRenewable`).
    3. The collector takes the money in seconds: then the pass is active, else `unpaid`, and nothing
       is owed. Needs a card (`PaymentMethodRequired`). A pass that costs nothing is active at once.
    """
    refuse_debtor(payer_id=user.pk)
    product = PassProduct.objects.on_sale().filter(public_id=product_id).first()
    if product is None:
        raise PassNotOnSale
    if auto_renew and not product.renewable:
        raise PassNotRenewable
    with transaction.atomic():
        bought = Pass(user=user, product=product, auto_renew=auto_renew)
        return sell_pass(bought, at=at, by=by, method_id=method_id)


def sell_pass(
    bought: Pass, *, at: datetime.datetime, by: Principal, method_id: int | None = None
) -> Pass:
    """Write a new pass on the terms of its product and ask for its money, in the caller's transaction."""
    product = bought.product
    bought.public_id = ids.uuid7()
    bought.organisation_id = product.organisation_id
    bought.terms = product.terms()
    bought.vehicle_kinds = product.vehicle_kinds
    bought.bought_at = at
    bought.save(force_insert=True)
    if not product.price_cents:
        return _activate(bought, at=at)
    bought.payment = charge_directly(
        payer_id=bought.user_id,
        organisation_id=bought.organisation_id,
        purpose=Purpose.PASS,
        purpose_ref=bought.public_id,
        lines=rules.sale_lines(bought.terms),
        currency=product.currency,
        at=at,
        by=by,
        method_id=method_id,
    )
    bought.save(update_fields=["payment"])
    return bought


def note_pass_paid(*, pass_id: uuid.UUID, at: datetime.datetime) -> None:
    """The money came: the pass counts. A fact that comes twice changes nothing."""
    with transaction.atomic():
        bought = _waiting(pass_id)
        if bought is not None:
            _activate(bought, at=at)


def note_pass_refused(*, pass_id: uuid.UUID, at: datetime.datetime) -> None:
    """The card refused: there is no pass and no debt, and what it was to renew ends by itself."""
    with transaction.atomic():
        bought = _waiting(pass_id)
        if bought is None:
            return
        move(bought, to=PassState.UNPAID, at=at, by=CASHIER, auto_renew=False)
        event = PassNotPaid(
            pass_id=str(bought.public_id),
            user=bought.user.principal,
            organisation_id=bought.organisation_id,
            renews=str(bought.renews.public_id) if bought.renews else "",
        )
        outbox.publish(event, at=at)


def set_auto_renew(*, bought: Pass, on: bool, at: datetime.datetime, by: Principal) -> Pass:
    """Have a pass renew itself, or not any more; possible until it ends (`PassNotRenewable`)."""
    live = Pass.objects.filter(pk=bought.pk, state__in=(PassState.PENDING, PassState.ACTIVE))
    if on and not bought.product.renewable:
        raise PassNotRenewable
    if not live.update(auto_renew=on) and on:
        raise PassNotRenewable
    bought.refresh_from_db()
    return bought


def return_pass(*, bought: Pass, at: datetime.datetime, by: Principal) -> Pass:
    """Give an unused pass back within 14 days, with all of its price; twice is once.

    Rides of the person that are being priced wait: whichever comes first decides whether the pass
    was used (`PassNotReturnable`).
    """
    with transaction.atomic():
        locks.advisory(perks_lock(bought.user_id))
        bought = Pass.objects.select_related("user", "payment", "product").get(pk=bought.pk)
        if bought.state == PassState.REFUNDED:
            return bought
        in_time = at - bought.bought_at <= rules.WITHDRAW
        if bought.state != PassState.ACTIVE or bought.uses or not in_time:
            raise PassNotReturnable
        move(bought, to=PassState.REFUNDED, at=at, by=by, reason="withdrawn", auto_renew=False)
        cents = bought.payment.captured_cents if bought.payment else 0
        if bought.payment is not None:
            request_refund(
                payment_id=bought.payment.pk,
                cents=cents,
                reason="pass_returned",
                at=at,
                by=by,
                automatic=True,
            )
        event = PassReturned(
            pass_id=str(bought.public_id),
            user=bought.user.principal,
            organisation_id=bought.organisation_id,
            cents=cents,
        )
        outbox.publish(event, at=at)
    return bought


def perks_lock(user_id: int) -> str:
    """The lock under which whatever a person has is spent."""
    return f"perks:{user_id}"


def _waiting(pass_id: uuid.UUID) -> Pass | None:
    waiting = Pass.objects.select_for_update(of=("self",)).select_related("user", "renews")
    return waiting.filter(public_id=pass_id, state=PassState.PENDING).first()


def _activate(bought: Pass, *, at: datetime.datetime) -> Pass:
    """A pass begins now, or when the one that it renews is over."""
    starts_at = max(bought.starts_at or at, at)
    bundle = bought.terms["shape"] == PassShape.BUNDLE
    move(
        bought,
        to=PassState.ACTIVE,
        at=at,
        by=CASHIER,
        starts_at=starts_at,
        ends_at=rules.end_of_pass(starts_at=starts_at, days=bought.terms["days"]),
        minutes_left=bought.terms["minutes"] if bundle else None,
    )
    event = PassActivated(
        pass_id=str(bought.public_id),
        user=bought.user.principal,
        organisation_id=bought.organisation_id,
        starts_at=bought.starts_at or starts_at,
        ends_at=bought.ends_at or starts_at,
    )
    outbox.publish(event, at=at)
    return bought
