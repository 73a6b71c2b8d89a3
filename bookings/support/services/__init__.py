"""Writes of support cases, one file per side."""

from bookings.support.services.answer import (
    NothingToRefund,
    answer_case,
    close_resolved,
    resolve_case,
)
from bookings.support.services.tell import (
    CaseClosed,
    NobodyAnswers,
    TooManyCases,
    add_message,
    open_case,
    withdraw_case,
)

__all__ = [
    "CaseClosed",
    "NobodyAnswers",
    "NothingToRefund",
    "TooManyCases",
    "add_message",
    "answer_case",
    "close_resolved",
    "open_case",
    "resolve_case",
    "withdraw_case",
]
