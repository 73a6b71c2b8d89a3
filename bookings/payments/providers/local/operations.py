"""The local provider's memory: one row per key, whoever asks again."""

import datetime

from django.db import connection
from django.db.models import QuerySet

from bookings.payments.models import ProviderOperation
from mobility.core.prepared import prepared

# One statement both remembers and looks up: a promise is asked for on every ride.
_REMEMBER = """
    INSERT INTO bookings_provideroperation
        (key, deed, reference, token, cents, currency, outcome, failure, at, due_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key
    RETURNING id, reference, outcome, failure, at, due_at, xmax = 0
"""


def remember(operation: ProviderOperation) -> bool:
    """Keep `operation` under its key, or become the one that is kept; whether it is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            _REMEMBER,
            [
                operation.key,
                operation.deed,
                operation.reference,
                operation.token,
                operation.cents,
                operation.currency,
                operation.outcome,
                operation.failure,
                operation.at,
                operation.due_at,
            ],
        )
        (
            operation.pk,
            operation.reference,
            operation.outcome,
            operation.failure,
            operation.at,
            operation.due_at,
            fresh,
        ) = cursor.fetchone()
    return bool(fresh)


def first_under(reference: str) -> ProviderOperation | None:
    """The operation that opened a reference."""
    return _under.first(reference=reference)


@prepared
def _under(*, reference: str) -> "QuerySet[ProviderOperation]":
    return ProviderOperation.objects.filter(reference=reference).order_by("id")[:1]


def settle(operation: ProviderOperation, *, outcome: str, at: datetime.datetime) -> bool:
    """Decide an operation that was open; whether it was still open."""
    undecided = ProviderOperation.objects.filter(pk=operation.pk, outcome=operation.outcome)
    return bool(undecided.update(outcome=outcome, at=at))
