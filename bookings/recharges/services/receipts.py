"""Receipts by e-mail, for who charged without an account and left an address."""

import datetime
from decimal import Decimal

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from bookings.payments.documents.pdf import render_pdf
from bookings.payments.documents.sheet import sheet_of
from bookings.payments.models import Receipt
from bookings.payments.queries import ReceiptNotReady, receipt_of
from bookings.recharges.models import GuestPass
from bookings.recharges.states import ACTIVE, RechargeState
from bookings.recharges.texts import LINE_NAMES
from mobility.core.money import format_money

log = structlog.get_logger(__name__)

LIMIT = 100
_NOT_YET = (*ACTIVE, RechargeState.START_FAILED)


def send_guest_receipts(*, at: datetime.datetime) -> int:
    """Send what is priced and was not sent; returns how many.

    Each is claimed by its own UPDATE before it goes out and given back if the mail server refuses:
    two workers send it once.
    """
    waiting = (
        GuestPass.objects.select_related(
            "recharge__payment", "recharge__connector__evse__station__site"
        )
        .filter(receipt_sent_at__isnull=True)
        .exclude(email="")
        .exclude(recharge__state__in=_NOT_YET)
    )
    return sum(_send(guest_pass, at=at) for guest_pass in waiting.order_by("pk")[:LIMIT])


def _send(guest_pass: GuestPass, *, at: datetime.datetime) -> bool:
    mine = GuestPass.objects.filter(pk=guest_pass.pk, receipt_sent_at__isnull=True)
    if not mine.update(receipt_sent_at=at):
        return False
    try:
        _post(guest_pass, receipt_of(payment=guest_pass.recharge.payment))
    except ReceiptNotReady:
        # Nothing was due, so there is nothing to send either.
        return False
    except OSError:
        log.warning("bookings.receipt_not_sent", guest_pass=guest_pass.pk, exc_info=True)
        _give_back(guest_pass)
        return False
    except Exception:
        # Not foreseen, so somebody has to look; the others' receipts go out all the same.
        log.exception("bookings.receipt_not_made", guest_pass=guest_pass.pk)
        _give_back(guest_pass)
        return False
    return True


def _give_back(guest_pass: GuestPass) -> None:
    GuestPass.objects.filter(pk=guest_pass.pk).update(receipt_sent_at=None)


def _post(guest_pass: GuestPass, receipt: Receipt) -> None:
    with translation.override(guest_pass.language):
        lines = [
            {
                "name": LINE_NAMES.get(line["kind"], line["kind"]),
                "money": format_money(line["cents"], receipt.currency),
            }
            for line in receipt.lines
        ]
        text = render_to_string(
            "recharges/receipt.txt",
            {
                "receipt": receipt,
                "recharge": guest_pass.recharge,
                "lines": lines,
                "total": format_money(receipt.total_cents, receipt.currency),
                "vat": [
                    {
                        "rate": f"{Decimal(part['rate']) * 100:.0f} %",
                        "net": format_money(part["net_cents"], receipt.currency),
                        "vat": format_money(part["vat_cents"], receipt.currency),
                    }
                    for part in receipt.vat
                ],
            },
        )
        subject = _("Receipt %(number)s for your charge") % {"number": receipt.number}
        paper = render_pdf(sheet_of(receipt))
    letter = EmailMessage(subject, text, settings.DEFAULT_FROM_EMAIL, [guest_pass.email])
    letter.attach(f"{receipt.number.replace('/', '-')}.pdf", paper, "application/pdf")
    letter.send()
