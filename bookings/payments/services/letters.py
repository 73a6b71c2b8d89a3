"""What people are told about their money, in their own language."""

import datetime
import uuid

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from bookings.payments.models import Fee, Payment
from bookings.payments.services.links import create_pay_link
from bookings.payments.states import FeeState, PaymentState
from mobility.core import clock
from mobility.core.money import format_money
from mobility.core.texts import pick
from mobility.notifications.services import tell
from mobility.notifications.states import Topic


def remind_of_debt(*, payment_id: uuid.UUID, at: datetime.datetime) -> None:
    """Write to who owes a payment, with a secret address that pays it without an account.

    Comes with every refusal of the card, so on the days on which it is asked; who has paid
    meanwhile gets no letter.
    """
    payment = Payment.objects.with_method().get(public_id=payment_id)
    if payment.state != PaymentState.DUE:
        return
    address = f"{settings.PUBLIC_URL}/pay/{create_pay_link(payment=payment, at=at)}"

    def body() -> str:
        return _(
            "We could not collect %(amount)s for %(organisation)s from your card.\n\n"
            "Pay here, no log-in needed:\n%(address)s\n\n"
            "Until it is paid you cannot start another ride. A ride under way is never stopped."
        ) % {
            "amount": format_money(payment.amount_cents, payment.currency),
            "organisation": payment.organisation,
            "address": address,
        }

    tell(
        principal=payment.payer.principal,
        topic=Topic.MONEY,
        ref=f"due:{payment_id}:{int(at.timestamp())}",
        subject=lambda: _("A payment is still open"),
        body=body,
        # The address pays without a log-in: it is for the mailbox, not for a lock screen.
        short=lambda: (
            _("%(amount)s could not be collected from your card.")
            % {"amount": format_money(payment.amount_cents, payment.currency)}
        ),
        path="/wallet/",
        at=at,
    )


def warn_of_missing_promise(*, payment_id: uuid.UUID, at: datetime.datetime) -> None:
    """Write to who rides on while the card promises nothing any more; nothing is stopped."""
    payment = Payment.objects.with_method().get(public_id=payment_id)
    if payment.state != PaymentState.AUTHORISED:
        return

    def body() -> str:
        return _(
            "Your bank no longer guarantees the amount we asked for at the start of your ride"
            " with %(organisation)s. You can go on and end it as usual; please make sure that"
            " your card can pay."
        ) % {"organisation": payment.organisation}

    tell(
        principal=payment.payer.principal,
        topic=Topic.MONEY,
        ref=f"promise:{payment_id}:{int(at.timestamp())}",
        subject=lambda: _("Please check your card"),
        body=body,
        path="/wallet/",
        at=at,
    )


def write_fee_notice(*, fee_id: uuid.UUID, at: datetime.datetime) -> None:
    """Write to who is asked for a fee: what for, and until when it can be disputed."""
    fee = Fee.objects.select_related("kind", "user", "organisation").get(public_id=fee_id)
    if fee.state != FeeState.NOTICED or fee.charge_after is None:
        return
    until = clock.local(fee.charge_after)

    def body() -> str:
        return _(
            "%(organisation)s asks you for %(amount)s: %(title)s.\n\nReason: %(reason)s\n\n"
            "If this is wrong, say so in your account before %(until)s. Nothing is charged"
            " until then, nor while we look at what you say."
        ) % {
            "organisation": fee.organisation,
            "amount": format_money(fee.cents, fee.currency),
            "title": pick(fee.kind.title),
            "reason": fee.decision or fee.reason,
            "until": date_format(until, "DATETIME_FORMAT"),
        }

    tell(
        principal=fee.user.principal,
        topic=Topic.MONEY,
        ref=f"fee:{fee_id}",
        subject=lambda: _("A fee has been announced"),
        body=body,
        path="/wallet/fees/",
        at=at,
    )
