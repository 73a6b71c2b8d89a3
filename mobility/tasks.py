"""Register of the Celery tasks of this app's features."""

from mobility.core import tasks as core_tasks
from mobility.core.files import tasks as file_tasks
from mobility.webhooks import tasks as webhook_tasks

__all__ = ["core_tasks", "file_tasks", "webhook_tasks"]
