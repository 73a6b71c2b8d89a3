"""Register of the event handlers of this app's features."""

from charging.sessions import handlers as sessions

__all__ = ["sessions"]
