"""Register of the models of this app's features."""

from bookings.payments.models import (
    DocumentSeries,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    Payment,
    PaymentMethod,
    ProviderOperation,
    Receipt,
    Refund,
)
from bookings.pricing.models import Tariff, TariffVersion
from bookings.recharges.models import Recharge
from bookings.reservations.models import Reservation
from bookings.trips.models import Trip

__all__ = [
    "DocumentSeries",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "Payment",
    "PaymentMethod",
    "ProviderOperation",
    "Receipt",
    "Recharge",
    "Refund",
    "Reservation",
    "Tariff",
    "TariffVersion",
    "Trip",
]
