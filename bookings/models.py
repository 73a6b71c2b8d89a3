"""Register of the models of this app's features."""

from bookings.payments.models import (
    Anomaly,
    BillingDetails,
    DocumentSeries,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    LocalNotice,
    Payment,
    PaymentMethod,
    ProviderOperation,
    ProviderWebhook,
    Receipt,
    Reconciliation,
    Refund,
    StatementLine,
)
from bookings.pricing.models import Tariff, TariffVersion
from bookings.recharges.models import (
    ConnectorCode,
    GuestPass,
    KeptConnector,
    Recharge,
    VehicleCharge,
)
from bookings.reservations.models import Booking, Reservation, ReservationPolicy
from bookings.support.models import CaseMessage, SupportCase
from bookings.trips.models import Incident, Trip, TripDispute, TripPolicy, TripVersion

__all__ = [
    "Anomaly",
    "BillingDetails",
    "Booking",
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
    "ProviderWebhook",
    "Receipt",
    "Recharge",
    "Reconciliation",
    "Refund",
    "Reservation",
    "ReservationPolicy",
    "StatementLine",
    "SupportCase",
    "Tariff",
    "TariffVersion",
    "Trip",
    "TripDispute",
    "TripPolicy",
    "TripVersion",
    "VehicleCharge",
]
