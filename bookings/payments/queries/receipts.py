"""The documents of a payment."""

from django.utils.translation import gettext_lazy as _

from bookings.payments.models import Payment, Receipt
from bookings.payments.states import DocumentKind
from mobility.core.errors import NotFound


class ReceiptNotReady(NotFound):
    """The price is not final yet."""

    code = "receipt_not_ready"
    message = _("The receipt is not ready yet. It comes as soon as the price is final.")


def receipt_of(*, payment: Payment | None) -> Receipt:
    """The receipt of a payment, ready to be shown, in one query; raises `ReceiptNotReady`."""
    receipt = (
        Receipt.objects.select_related("organisation", "payment__method")
        .filter(payment=payment, kind=DocumentKind.RECEIPT)
        .first()
    )
    if receipt is None:
        raise ReceiptNotReady
    return receipt
