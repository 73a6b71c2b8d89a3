"""Register of the models of this app's features."""

from bookings.payments.models import (
    DocumentSeries,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    LocalNotice,
    Payment,
    PaymentMethod,
    ProviderOperation,
    Receipt,
    Refund,
)
from bookings.pricing.models import Tariff, TariffVersion
from bookings.recharges.models import (
    ConnectorCode,
    GuestPass,
    KeptConnector,
    Recharge,
    VehicleCharge,
)
from bookings.reservations.models import Reservation
from bookings.support.models import CaseMessage, SupportCase
from bookings.trips.models import Incident, Trip, TripDispute, TripPolicy, TripVersion

__all__ = [
    "CaseMessage",
    "ConnectorCode",
    "DocumentSeries",
    "GuestPass",
    "Incident",
    "KeptConnector",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "LocalNotice",
    "Payment",
    "PaymentMethod",
    "ProviderOperation",
    "Receipt",
    "Recharge",
    "Refund",
    "Reservation",
    "SupportCase",
    "Tariff",
    "TariffVersion",
    "Trip",
    "TripDispute",
    "TripPolicy",
    "TripVersion",
    "VehicleCharge",
]
