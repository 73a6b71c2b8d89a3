"""Old rows go in portions, the oldest first: no round locks or loads a whole table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet

from charging.stations.models import StationCommand
from charging.stations.states import COMMAND_OPEN

_PORTION: Final = 1_000
_PORTIONS: Final = 50


def forget_oldest(
    rows: Callable[[], QuerySet[Any]], *, told_at: str, before: datetime, portions: int = _PORTIONS
) -> int:
    """Delete what is older than `before` by its column `told_at`; returns how many.

    Rows are numbered as they come, so the first ones are the oldest and no index on time is needed.
    What is left after `portions` portions of 1,000 the next round takes.
    """
    gone = 0
    for _ in range(portions):
        first = list(rows().order_by("pk").values_list("pk", told_at)[:_PORTION])
        old = [pk for pk, when in first if when is not None and when < before]
        if old:
            rows().filter(pk__in=old).delete()
            gone += len(old)
        if len(old) < _PORTION:
            break
    return gone


def records_end(*, at: datetime) -> datetime:
    """What stations told or were asked before this is kept no more (`OCPP_RECORDS_DAYS`)."""
    return at - timedelta(days=settings.OCPP_RECORDS_DAYS)


def forget_commands(*, at: datetime) -> int:
    """Drop commands whose time is over; who asked for them stays in the audit trail."""
    return forget_oldest(
        lambda: StationCommand.objects.exclude(state__in=COMMAND_OPEN),
        told_at="queued_at",
        before=records_end(at=at),
    )
