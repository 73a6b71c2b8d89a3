"""Writes of money, one file per verb."""

from bookings.payments.services.authorise import (
    authorise_payment,
    raise_promise,
    void_payment,
)
from bookings.payments.services.capture import (
    NothingDue,
    capture_payment,
    pay_debt,
    write_off,
)
from bookings.payments.services.charge import charge_directly, charge_payment
from bookings.payments.services.collect import collect_due
from bookings.payments.services.correct import CorrectionCostsMore, correct_charge
from bookings.payments.services.fees import (
    FeeProposedAlready,
    TooLateToDispute,
    announce_fee,
    dispute_fee,
    propose_fee,
    uphold_fee,
    waive_fee,
)
from bookings.payments.services.internal import book_internal_cost
from bookings.payments.services.methods import (
    CardNotChecked,
    CardUnknown,
    add_payment_method,
    begin_card_setup,
    remove_payment_method,
)
from bookings.payments.services.open import (
    DebtOutstanding,
    PaymentActionRequired,
    PaymentDeclined,
    PaymentMethodRequired,
    PaymentRequired,
    PaymentsUnavailable,
    open_payment,
    refuse_debtor,
)
from bookings.payments.services.refund import (
    RefundTooLarge,
    SecondPersonNeeded,
    approve_refund,
    execute_refund,
    reject_refund,
    request_refund,
)
from bookings.payments.services.wallet import CreditTooLow

__all__ = [
    "CardNotChecked",
    "CardUnknown",
    "CorrectionCostsMore",
    "CreditTooLow",
    "DebtOutstanding",
    "FeeProposedAlready",
    "NothingDue",
    "PaymentActionRequired",
    "PaymentDeclined",
    "PaymentMethodRequired",
    "PaymentRequired",
    "PaymentsUnavailable",
    "RefundTooLarge",
    "SecondPersonNeeded",
    "TooLateToDispute",
    "add_payment_method",
    "announce_fee",
    "approve_refund",
    "authorise_payment",
    "begin_card_setup",
    "book_internal_cost",
    "capture_payment",
    "charge_directly",
    "charge_payment",
    "collect_due",
    "correct_charge",
    "dispute_fee",
    "execute_refund",
    "open_payment",
    "pay_debt",
    "propose_fee",
    "raise_promise",
    "refuse_debtor",
    "reject_refund",
    "remove_payment_method",
    "request_refund",
    "uphold_fee",
    "void_payment",
    "waive_fee",
    "write_off",
]
