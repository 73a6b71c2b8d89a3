"""Facts about webhooks that others may act on."""

import dataclasses
from typing import ClassVar

from mobility.core.outbox import Event


@dataclasses.dataclass(frozen=True)
class WebhookDisabled(Event):
    """Nothing goes to an endpoint any more, and nobody asked for that; its keepers must hear of it."""

    name: ClassVar = "mobility.webhook_disabled.v1"

    endpoint_id: str
    reason: str
