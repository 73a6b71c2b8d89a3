"""Register of the Celery tasks of this app's features."""

from charging.sessions import tasks as sessions
from charging.stations import tasks as stations

__all__ = ["sessions", "stations"]
