"""Work for later: handed to Celery by task name, after the surrounding transaction has committed."""

from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction


def enqueue(task_name: str, **kwargs: Any) -> None:
    """Send the task `task_name` with ids as `kwargs` once the transaction commits.

    For work that a sweep would find anyway. What must not get lost is an outbox event instead.
    """
    transaction.on_commit(partial(_send, task_name, kwargs))


def _send(task_name: str, kwargs: dict[str, Any]) -> None:
    if task_name not in current_app.tasks:
        # Only workers read every app's tasks at their start; a web process does so when it must.
        current_app.loader.import_default_modules()
    current_app.tasks[task_name].apply_async(kwargs=kwargs)
