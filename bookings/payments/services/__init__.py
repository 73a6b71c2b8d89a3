"""Writes of money, one file per verb."""

from bookings.payments.services.authorise import (
    DebtOutstanding,
    PaymentDeclined,
    PaymentMethodRequired,
    authorise_payment,
    void_payment,
)
from bookings.payments.services.capture import capture_payment, pay_debt, write_off
from bookings.payments.services.charge import charge_payment
from bookings.payments.services.collect import collect_due
from bookings.payments.services.methods import (
    CardUnknown,
    add_payment_method,
    remove_payment_method,
)
from bookings.payments.services.refund import (
    RefundTooLarge,
    execute_refund,
    request_refund,
)

__all__ = [
    "CardUnknown",
    "DebtOutstanding",
    "PaymentDeclined",
    "PaymentMethodRequired",
    "RefundTooLarge",
    "add_payment_method",
    "authorise_payment",
    "capture_payment",
    "charge_payment",
    "collect_due",
    "execute_refund",
    "pay_debt",
    "remove_payment_method",
    "request_refund",
    "void_payment",
    "write_off",
]
