"""Register of the event handlers of this app's features."""

from mobility.resident.notices import handlers as notice_handlers
from mobility.webhooks import handlers as webhook_handlers

__all__ = ["notice_handlers", "webhook_handlers"]
