"""What webhooks do because of facts: tell every kind of them, and warn when an endpoint is lost."""

import datetime

from mobility.core import outbox
from mobility.core.outbox import Fact
from mobility.webhooks import queries, services
from mobility.webhooks.events import WebhookDisabled


@outbox.listens(wants=queries.is_wanted)
def on_any_fact(fact: Fact, *, at: datetime.datetime) -> None:
    """Tell whoever asked for it."""
    services.tell_endpoints(fact=fact, at=at)


@outbox.handles(WebhookDisabled)
def on_webhook_disabled(event: WebhookDisabled, *, at: datetime.datetime) -> None:
    """Somebody has to look at the receiver."""
    services.warn_keepers(endpoint_id=event.endpoint_id, at=at)
