"""The life of a provider's event and of an anomaly."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class WebhookState(models.TextChoices):
    """What became of a provider's event."""

    RECEIVED = "received", _("received")
    MATCHED = "matched", _("belongs to a payment")
    UNMATCHED = "unmatched", _("belongs to nothing yet")
    IGNORED = "ignored", _("of no interest")
    REPORTED = "reported", _("reported as an anomaly")


WEBHOOK_MOVES: Moves = {
    WebhookState.RECEIVED: frozenset(
        {
            WebhookState.MATCHED,
            WebhookState.UNMATCHED,
            WebhookState.IGNORED,
            WebhookState.REPORTED,
        }
    ),
    WebhookState.UNMATCHED: frozenset(
        {WebhookState.MATCHED, WebhookState.IGNORED, WebhookState.REPORTED}
    ),
    WebhookState.MATCHED: frozenset(),
    WebhookState.IGNORED: frozenset(),
    WebhookState.REPORTED: frozenset(),
}


class AnomalyKind(models.TextChoices):
    """In which way our books and the provider's statement disagree."""

    MISSING_AT_PROVIDER = "missing_at_provider", _("booked by us, not stated by the provider")
    MISSING_AT_US = "missing_at_us", _("stated by the provider, not booked by us")
    AMOUNT_DIFFERS = "amount_differs", _("amounts differ")
    DUPLICATE = "duplicate", _("collected or given back twice")
    STUCK = "stuck", _("stuck")
    DISPUTED = "disputed", _("disputed by the card holder")


class AnomalyState(models.TextChoices):
    """Open until a person says what it was, or the other half turns up."""

    OPEN = "open", _("open")
    EXPLAINED = "explained", _("explained")
    RESOLVED = "resolved", _("resolved")


ANOMALY_MOVES: Moves = {
    AnomalyState.OPEN: frozenset({AnomalyState.EXPLAINED, AnomalyState.RESOLVED}),
    AnomalyState.EXPLAINED: frozenset({AnomalyState.RESOLVED}),
    AnomalyState.RESOLVED: frozenset(),
}
