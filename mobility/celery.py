"""The Celery application: settings from Django, schedule from code, one beat at a time."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import celery
import structlog
from celery.signals import beat_init, setup_logging, task_prerun, worker_ready
from django.db import close_old_connections
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")

app = celery.Celery("mobility")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule_filename = str(Path(os.environ.get("DATA_DIR", ".")) / "beat-schedule")
# Celery would open a connection for each task, and PostgreSQL start a process with empty caches for it:
# more work than most tasks are. `keep_connection` looks after them instead.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize // 2
app.steps["worker"].add(DjangoStructLogInitStep)

log = structlog.get_logger(__name__)


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Celery must not replace the logging that the settings configured."""


@task_prerun.connect
def keep_connection(task: Any, **kwargs: Any) -> None:
    """Between tasks a connection is kept as between requests: for CONN_MAX_AGE, if it still answers."""
    if not task.request.is_eager:
        close_old_connections()


@beat_init.connect
def become_the_only_beat(**kwargs: Any) -> None:
    """Wait until no other beat holds the lock: a second one stands by and takes over when the first ends."""
    # Imported here: this module is imported by the package itself, before Django is set up.
    import_module("mobility.core.locks").hold_for_life("beat")


@worker_ready.connect
def show_a_first_sign_of_life(sender: Any, **kwargs: Any) -> None:
    """A worker that is ready says so at once: nobody waits for beat's first round."""
    health, clock = import_module("mobility.core.health"), import_module("mobility.core.clock")
    for queue in sender.app.amqp.queues.consume_from:
        health.record_heartbeat(queue=queue, at=clock.now())
