"""Door for Celery into private files."""

from celery import shared_task

from mobility.core import clock, files


@shared_task(name="mobility.core.files.forget")
def forget() -> int:
    """Remove files whose time is over."""
    return files.forget_outlived(at=clock.now())
