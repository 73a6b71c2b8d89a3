"""Doors of money."""

from bookings.payments.api.fees import FeeViewSet, StaffFeeViewSet
from bookings.payments.api.links import PayLinkView
from bookings.payments.api.methods import PaymentMethodViewSet
from bookings.payments.api.payments import PaymentViewSet, RefundQueueViewSet, RefundViewSet
from bookings.payments.api.wallets import WalletsView, WalletViewSet

__all__ = [
    "FeeViewSet",
    "PayLinkView",
    "PaymentMethodViewSet",
    "PaymentViewSet",
    "RefundQueueViewSet",
    "RefundViewSet",
    "StaffFeeViewSet",
    "WalletViewSet",
    "WalletsView",
]
