"""Register of the Celery tasks of this app's features."""

from mobility.accounts import tasks as account_tasks
from mobility.core import tasks as core_tasks
from mobility.core.files import tasks as file_tasks
from mobility.notifications import tasks as notification_tasks
from mobility.resident.notices import tasks as notice_tasks
from mobility.webhooks import tasks as webhook_tasks

__all__ = [
    "account_tasks",
    "core_tasks",
    "file_tasks",
    "notice_tasks",
    "notification_tasks",
    "webhook_tasks",
]
