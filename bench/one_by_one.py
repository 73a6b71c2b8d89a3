"""The denominator of `bench.ingest`: one Celery task per message, stored through the ORM.

celery -A bench.one_by_one worker -Q bench
"""

from __future__ import annotations

import datetime
import os

import django
from celery import shared_task

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobility.settings")
django.setup()

from fleet.telematics import records  # noqa: E402 — needs Django set up
from fleet.telematics.models import LatestState, Point  # noqa: E402
from mobility.celery import app  # noqa: E402

__all__ = ["app", "store_point"]

QUEUE = "bench"


@shared_task(name="bench.store_point", queue=QUEUE)
def store_point(*, vehicle_id: int, at_us: int, lon_e7: int, lat_e7: int) -> None:
    """A point and the latest state as one would write it first: two ORM calls, nothing else."""
    at = records.from_us(at_us)
    place = {"lon_e7": lon_e7, "lat_e7": lat_e7}
    told = {"odometer_m": -1, "accuracy_dm": 50, "speed_cms": 400, "heading": 90}
    state = {"battery_pct": 80, "locked": 0, "tilted": 0}
    received_at = datetime.datetime.now(tz=datetime.UTC)
    Point.objects.get_or_create(
        vehicle_id=vehicle_id,
        at=at,
        defaults={"received_at": received_at, **place, **told, **state},
    )
    LatestState.objects.filter(pk=vehicle_id, at__lt=at).update(
        at=at, received_at=received_at, **place
    )
