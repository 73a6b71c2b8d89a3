"""Register of the event handlers of this app's features."""

from mobility.webhooks import handlers as webhook_handlers

__all__ = ["webhook_handlers"]
