"""The life of a payment, of a refund and of a fee, and the accounts that money moves between."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves

# The provider's name of a person's own prepaid credit; its money never leaves our books.
WALLET = "wallet"


class PaymentState(models.TextChoices):
    """Asked for, promised, taken – or owed."""

    OPENING = "opening", _("being promised")
    REFUSED = "refused", _("refused")
    AUTHORISED = "authorised", _("authorised")
    VOIDED = "voided", _("released")
    CAPTURING = "capturing", _("being collected")
    CAPTURED = "captured", _("paid")
    DUE = "due", _("payment due")
    WRITTEN_OFF = "written_off", _("written off")


PAYMENT_MOVES: Moves = {
    PaymentState.OPENING: frozenset(
        {PaymentState.AUTHORISED, PaymentState.REFUSED, PaymentState.VOIDED}
    ),
    PaymentState.AUTHORISED: frozenset({PaymentState.CAPTURING, PaymentState.VOIDED}),
    # What is paid ahead is refused rather than owed: nothing was handed out for it yet.
    PaymentState.CAPTURING: frozenset(
        {PaymentState.CAPTURED, PaymentState.DUE, PaymentState.REFUSED}
    ),
    # A debt that a correction brings down to nothing is released.
    PaymentState.DUE: frozenset(
        {PaymentState.CAPTURING, PaymentState.WRITTEN_OFF, PaymentState.VOIDED}
    ),
    PaymentState.CAPTURED: frozenset(),
    PaymentState.REFUSED: frozenset(),
    # A ride whose unlock came late is charged after all, without a promise.
    PaymentState.VOIDED: frozenset({PaymentState.CAPTURING}),
    PaymentState.WRITTEN_OFF: frozenset(),
}


class RefundState(models.TextChoices):
    """Asked for, approved if it must be, and what became of it."""

    PROPOSED = "proposed", _("waits for a second person")
    REQUESTED = "requested", _("requested")
    DONE = "done", _("paid back")
    FAILED = "failed", _("failed")
    REJECTED = "rejected", _("rejected")


REFUND_MOVES: Moves = {
    RefundState.PROPOSED: frozenset({RefundState.REQUESTED, RefundState.REJECTED}),
    RefundState.REQUESTED: frozenset({RefundState.DONE, RefundState.FAILED}),
    RefundState.FAILED: frozenset(),
    RefundState.DONE: frozenset(),
    RefundState.REJECTED: frozenset(),
}


class RefundWay(models.TextChoices):
    """Where the money goes."""

    CARD = "card", _("back to where it came from")
    WALLET = "wallet", _("to the person's credit")
    # It was never collected, so what is owed becomes less.
    DEBT = "debt", _("off what is owed")


class FeeState(models.TextChoices):
    """A fee is announced before it is taken, and can be disputed until then."""

    PROPOSED = "proposed", _("proposed")
    NOTICED = "noticed", _("announced")
    DISPUTED = "disputed", _("disputed")
    CHARGED = "charged", _("charged")
    WAIVED = "waived", _("waived")


FEE_MOVES: Moves = {
    FeeState.PROPOSED: frozenset({FeeState.NOTICED, FeeState.WAIVED}),
    FeeState.NOTICED: frozenset({FeeState.CHARGED, FeeState.DISPUTED, FeeState.WAIVED}),
    FeeState.DISPUTED: frozenset({FeeState.NOTICED, FeeState.WAIVED}),
    FeeState.CHARGED: frozenset(),
    FeeState.WAIVED: frozenset(),
}


class Purpose(models.TextChoices):
    """What a payment is for."""

    TRIP = "trip", _("trip")
    RECHARGE = "recharge", _("charge")
    FEE = "fee", _("fee")
    PASS = "pass", _("pass")
    TOP_UP = "top_up", _("top-up")
    BOOKING = "booking", _("booking")
    HOLD = "hold", _("reserved minutes")


# Sold when the money is there, not before: who does not pay gets nothing and owes nothing.
PREPAID = frozenset({Purpose.PASS, Purpose.TOP_UP})


class Situation(models.TextChoices):
    """What went wrong on a ride or a charge, for the rules of goodwill."""

    START_FAILED = "start_failed", _("it never began")
    BROKEN_EARLY = "broken_early", _("broken in the first minutes")
    BROKEN_LATER = "broken_later", _("broken under way")
    END_IMPOSSIBLE = "end_impossible", _("could not be ended")
    OUTAGE = "outage", _("outage of our systems")
    BATTERY_DIED = "battery_died", _("battery died under way")
    CHARGER_FAULT = "charger_fault", _("charger broke down")


class AccountKind(models.TextChoices):
    """The accounts of an organisation; debit is positive."""

    RECEIVABLE = "receivable", _("owed by a customer")
    CLEARING = "clearing", _("held by a payment provider")
    REVENUE = "revenue", _("revenue without VAT")
    VAT = "vat", _("VAT owed to the state")
    WALLET = "wallet", _("a customer's credit")
    WALLET_HELD = "wallet_held", _("a customer's credit, promised")
    PREPAID_VAT = "prepaid_vat", _("VAT paid ahead on credit")
    WRITTEN_OFF = "written_off", _("waived")
    BAD_DEBT = "bad_debt", _("lost debts")
    FEES = "fees", _("providers' fees")
    SUSPENSE = "suspense", _("to be explained")
    INTERNAL_OWED = "internal_owed", _("owed by other organisations")
    INTERNAL_OWING = "internal_owing", _("owed to other organisations")
    INTERNAL_COST = "internal_cost", _("energy for the own fleet")
    INPUT_VAT = "input_vat", _("VAT to be deducted")


# Liabilities to a person, of which the database lets none fall below zero.
CREDIT_ACCOUNTS = frozenset({AccountKind.WALLET, AccountKind.WALLET_HELD})
# Accounts that every customer has for themselves.
PERSONAL_ACCOUNTS = frozenset({AccountKind.RECEIVABLE, AccountKind.PREPAID_VAT, *CREDIT_ACCOUNTS})


class DocumentKind(models.TextChoices):
    """What a numbered document says."""

    RECEIPT = "receipt", _("receipt")
    CREDIT_NOTE = "credit_note", _("credit note")
    INVOICE = "invoice", _("invoice")


class Outcome(models.TextChoices):
    """How a provider answered."""

    OK = "ok", _("done")
    DECLINED = "declined", _("declined")
    PENDING = "pending", _("not decided yet")
    ACTION = "action", _("waits for the person")
