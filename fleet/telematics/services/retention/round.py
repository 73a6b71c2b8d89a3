"""The nightly round: every step, whatever became of the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from fleet.telematics.services.retention.days import close_days, count_closed_days
from fleet.telematics.services.retention.links import cut_links
from fleet.telematics.services.retention.months import drop_months
from fleet.telematics.services.retention.quarantine import forget_quarantined
from fleet.telematics.services.retention.traces import forget_traces

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

log = structlog.get_logger(__name__)

STEPS: tuple[Callable[..., object], ...] = (
    close_days,
    count_closed_days,
    drop_months,
    cut_links,
    forget_quarantined,
    forget_traces,
)


def retain(*, at: datetime.datetime) -> None:
    """Pack days away, count them, drop what is over, cut links, forget what was put aside.

    A step that fails does not keep the others from their work; the last failure is raised again in
    the end, so that whoever asked hears of it.
    """
    failure: Exception | None = None
    for step in STEPS:
        try:
            step(at=at)
        except Exception as reason:
            log.exception("telematics.retention_failed", step=step.__name__)
            failure = reason
    if failure is not None:
        raise failure
