"""Doors of recharges, one file for each who knocks."""

from bookings.recharges.api.cards import CardViewSet, KeepView, KeptViewSet
from bookings.recharges.api.guests import (
    GuestContinueView,
    GuestReceiptView,
    GuestRechargesView,
    GuestRechargeView,
    GuestStopView,
)
from bookings.recharges.api.operators import (
    CodesViewSet,
    StickersView,
    UnbilledViewSet,
    VehicleChargeViewSet,
)
from bookings.recharges.api.quotes import RechargeQuoteView
from bookings.recharges.api.recharges import RechargeViewSet

__all__ = [
    "CardViewSet",
    "CodesViewSet",
    "GuestContinueView",
    "GuestReceiptView",
    "GuestRechargeView",
    "GuestRechargesView",
    "GuestStopView",
    "KeepView",
    "KeptViewSet",
    "RechargeQuoteView",
    "RechargeViewSet",
    "StickersView",
    "UnbilledViewSet",
    "VehicleChargeViewSet",
]
