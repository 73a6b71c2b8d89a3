"""Writes of money, one file per verb."""

from bookings.payments.services.authorise import (
    authorise_opened,
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
    TooLateToDispute,
    announce_fee,
    dispute_fee,
    propose_fee,
    uphold_fee,
    waive_fee,
)
from bookings.payments.services.goodwill import refund_by_rule
from bookings.payments.services.internal import (
    InternalCost,
    book_internal_cost,
    correct_internal_cost,
)
from bookings.payments.services.letters import (
    remind_of_debt,
    warn_of_missing_promise,
    write_fee_notice,
)
from bookings.payments.services.links import (
    PayLinkExpired,
    PayLinkUnknown,
    card_page_of_link,
    create_pay_link,
    forget_links,
    pay_by_link,
    payment_of_link,
)
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
from bookings.payments.services.own import own_method
from bookings.payments.services.refund import (
    RefundTooLarge,
    SecondPersonNeeded,
    approve_refund,
    execute_refund,
    reject_refund,
    request_refund,
)
from bookings.payments.services.top_up import (
    TopUpOutOfRange,
    choose_default,
    confirm_payment,
    top_up,
)
from bookings.payments.services.wallet import CreditTooLow

__all__ = [
    "CardNotChecked",
    "CardUnknown",
    "CorrectionCostsMore",
    "CreditTooLow",
    "DebtOutstanding",
    "InternalCost",
    "NothingDue",
    "PayLinkExpired",
    "PayLinkUnknown",
    "PaymentActionRequired",
    "PaymentDeclined",
    "PaymentMethodRequired",
    "PaymentRequired",
    "PaymentsUnavailable",
    "RefundTooLarge",
    "SecondPersonNeeded",
    "TooLateToDispute",
    "TopUpOutOfRange",
    "add_payment_method",
    "announce_fee",
    "approve_refund",
    "authorise_opened",
    "authorise_payment",
    "begin_card_setup",
    "book_internal_cost",
    "capture_payment",
    "card_page_of_link",
    "charge_directly",
    "charge_payment",
    "choose_default",
    "collect_due",
    "confirm_payment",
    "correct_charge",
    "correct_internal_cost",
    "create_pay_link",
    "dispute_fee",
    "execute_refund",
    "forget_links",
    "open_payment",
    "own_method",
    "pay_by_link",
    "pay_debt",
    "payment_of_link",
    "propose_fee",
    "raise_promise",
    "refund_by_rule",
    "refuse_debtor",
    "reject_refund",
    "remind_of_debt",
    "remove_payment_method",
    "request_refund",
    "top_up",
    "uphold_fee",
    "void_payment",
    "waive_fee",
    "warn_of_missing_promise",
    "write_fee_notice",
    "write_off",
]
