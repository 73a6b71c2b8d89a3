"""Beat sends only what a worker knows."""

import pytest
from celery import current_app
from django.conf import settings


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_every_entry_names_a_task_that_exists_and_a_queue_that_somebody_serves(name: str) -> None:
    current_app.loader.import_default_modules()
    entry = settings.CELERY_BEAT_SCHEDULE[name]
    assert entry["task"] in current_app.tasks
    assert entry["options"]["queue"] in settings.QUEUES
