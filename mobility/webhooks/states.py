"""The words of webhooks: what an endpoint may be, and what became of a delivery."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class EndpointState(models.TextChoices):
    """Whether facts go to an endpoint."""

    ACTIVE = "active", _("active")
    # Facts wait until somebody lets them go again.
    PAUSED = "paused", _("paused")
    # Nobody answered for days, or the receiver said that it is gone: nothing waits.
    DISABLED = "disabled", _("disabled")


ENDPOINT_MOVES: dict[str, frozenset[str]] = {
    EndpointState.ACTIVE: frozenset({EndpointState.PAUSED, EndpointState.DISABLED}),
    EndpointState.PAUSED: frozenset({EndpointState.ACTIVE, EndpointState.DISABLED}),
    EndpointState.DISABLED: frozenset({EndpointState.ACTIVE}),
}


class DeliveryState(models.TextChoices):
    """Where a delivery stands; no column, but read off its instants."""

    PENDING = "pending", _("pending")
    FAILED = "failed", _("failed, will be tried again")
    DELIVERED = "delivered", _("delivered")
    GIVEN_UP = "given_up", _("given up")
