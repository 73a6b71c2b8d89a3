"""Money: payment methods, payments and refunds, the ledger, numbered documents."""

from bookings.payments.models.documents import DocumentSeries, Receipt
from bookings.payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from bookings.payments.models.methods import PaymentMethod
from bookings.payments.models.operations import ProviderOperation
from bookings.payments.models.payments import Payment
from bookings.payments.models.refunds import Refund
from bookings.payments.models.scoping import MONEY_READERS, MoneyQuerySet

__all__ = [
    "DocumentSeries",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "MONEY_READERS",
    "MoneyQuerySet",
    "Payment",
    "PaymentMethod",
    "ProviderOperation",
    "Receipt",
    "Refund",
]
