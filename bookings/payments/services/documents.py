"""Numbered documents live in a room of their own; here is what money hands out."""

from bookings.payments.documents.services import issue_document

__all__ = ["issue_document"]
