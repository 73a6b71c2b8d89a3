"""Reads of money."""

from bookings.payments.queries.faults import ledger_faults
from bookings.payments.queries.policies import policy_of
from bookings.payments.queries.receipts import ReceiptNotReady, receipt_of
from bookings.payments.queries.wallets import wallet_balance, wallet_movements, wallets_of

__all__ = [
    "ReceiptNotReady",
    "ledger_faults",
    "policy_of",
    "receipt_of",
    "wallet_balance",
    "wallet_movements",
    "wallets_of",
]
