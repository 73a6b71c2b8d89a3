"""The life of a payment and of a refund, and the accounts that money moves between."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class PaymentState(models.TextChoices):
    """Promised, asked for, taken – or owed."""

    AUTHORISED = "authorised", _("authorised")
    VOIDED = "voided", _("released")
    CAPTURING = "capturing", _("being collected")
    CAPTURED = "captured", _("paid")
    DUE = "due", _("payment due")
    WRITTEN_OFF = "written_off", _("written off")


PAYMENT_MOVES: Moves = {
    PaymentState.AUTHORISED: frozenset({PaymentState.CAPTURING, PaymentState.VOIDED}),
    PaymentState.CAPTURING: frozenset({PaymentState.CAPTURED, PaymentState.DUE}),
    PaymentState.DUE: frozenset({PaymentState.CAPTURING, PaymentState.WRITTEN_OFF}),
    PaymentState.CAPTURED: frozenset(),
    PaymentState.VOIDED: frozenset(),
    PaymentState.WRITTEN_OFF: frozenset(),
}


class RefundState(models.TextChoices):
    """Asked for, and what became of it."""

    REQUESTED = "requested", _("requested")
    DONE = "done", _("paid back")
    FAILED = "failed", _("failed")


REFUND_MOVES: Moves = {
    RefundState.REQUESTED: frozenset({RefundState.DONE, RefundState.FAILED}),
    RefundState.FAILED: frozenset({RefundState.REQUESTED}),
    RefundState.DONE: frozenset(),
}


class Purpose(models.TextChoices):
    """What a payment is for."""

    TRIP = "trip", _("trip")
    RECHARGE = "recharge", _("charge")


class AccountKind(models.TextChoices):
    """The accounts of an organisation; debit is positive."""

    RECEIVABLE = "receivable", _("owed by customers")
    CLEARING = "clearing", _("held by the payment provider")
    REVENUE = "revenue", _("revenue without VAT")
    VAT = "vat", _("VAT owed to the state")
    WRITTEN_OFF = "written_off", _("written off")


class DocumentKind(models.TextChoices):
    """What a numbered document says."""

    RECEIPT = "receipt", _("receipt")
    CREDIT_NOTE = "credit_note", _("credit note")


class Outcome(models.TextChoices):
    """How a provider answered."""

    OK = "ok", _("done")
    DECLINED = "declined", _("declined")
