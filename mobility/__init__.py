"""The ground all rooms stand on, and the city's public face."""

from mobility.celery import app as celery_app

__all__ = ["celery_app"]
