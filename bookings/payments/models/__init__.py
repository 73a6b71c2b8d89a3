"""Money: methods, payments and refunds, the ledger, fees, numbered documents."""

from bookings.payments.models.documents import BillingDetails, DocumentSeries, Receipt
from bookings.payments.models.fees import Fee
from bookings.payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from bookings.payments.models.links import PayLink
from bookings.payments.models.methods import PaymentMethod
from bookings.payments.models.operations import LocalNotice, ProviderOperation
from bookings.payments.models.payments import Payment
from bookings.payments.models.policies import FeeKind, GoodwillRule, PaymentPolicy
from bookings.payments.models.reconciliation import (
    Anomaly,
    ProviderWebhook,
    Reconciliation,
    StatementLine,
)
from bookings.payments.models.refunds import Refund
from bookings.payments.models.scoping import MONEY_READERS, MoneyQuerySet

__all__ = [
    "MONEY_READERS",
    "Anomaly",
    "BillingDetails",
    "DocumentSeries",
    "Fee",
    "FeeKind",
    "GoodwillRule",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "LocalNotice",
    "MoneyQuerySet",
    "PayLink",
    "Payment",
    "PaymentMethod",
    "PaymentPolicy",
    "ProviderOperation",
    "ProviderWebhook",
    "Receipt",
    "Reconciliation",
    "Refund",
    "StatementLine",
]
