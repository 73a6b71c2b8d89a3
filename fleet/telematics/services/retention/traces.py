"""Forgetting where single vehicles were noticed: crossings, speed limits and alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from fleet.telematics.models import Alarm, SpeedLimitOrder, ZoneCrossing
from fleet.telematics.services.retention.books import months_before, write_down
from fleet.telematics.states import AlarmState, RetentionKind

if TYPE_CHECKING:
    import datetime

    from django.db.models import QuerySet

    from fleet.telematics.models import RetentionRun


def forget_traces(*, at: datetime.datetime) -> list[RetentionRun]:
    """Delete crossings, ended speed limits and closed alarms as old as the chunks that are dropped.

    They tell places and times of single vehicles, as points do, so they go when points go:
    `TELEMATICS_CHUNK_MONTHS`. What goes on stays. Each kind in a transaction of its own, in which the
    books refuse to have removed more than was counted. Returns what was written down.
    """
    before = months_before(at, settings.TELEMATICS_CHUNK_MONTHS)
    kinds: tuple[tuple[str, QuerySet[Any]], ...] = (
        (RetentionKind.CROSSINGS, ZoneCrossing.objects.filter(at__lt=before)),
        (RetentionKind.SPEED_ORDERS, SpeedLimitOrder.objects.filter(released_at__lt=before)),
        (
            RetentionKind.ALARMS,
            Alarm.objects.filter(state=AlarmState.CLOSED, closed_at__lt=before),
        ),
    )
    runs = [_forget(kind, old, before=before, at=at) for kind, old in kinds]
    return [run for run in runs if run is not None]


def _forget(
    kind: str, old: QuerySet[Any], *, before: datetime.datetime, at: datetime.datetime
) -> RetentionRun | None:
    with transaction.atomic():
        verified = list(old.select_for_update(no_key=True).values_list("pk", flat=True))
        if not verified:
            return None
        counted = old.count()
        removed, _by_model = old.filter(pk__in=verified).delete()
        return write_down(
            kind=kind,
            subject=before.isoformat(timespec="seconds"),
            counted=counted,
            verified=len(verified),
            removed=removed,
            at=at,
        )
