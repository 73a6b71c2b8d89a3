"""Register of the Celery tasks of this app's features."""

from fleet.telematics import tasks as telematics_tasks
from fleet.vehicles import tasks as vehicles_tasks

__all__ = ["telematics_tasks", "vehicles_tasks"]
