"""Forgetting reports that were put aside."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from fleet.telematics.models import QuarantinedPoint
from fleet.telematics.services.retention.books import write_down
from fleet.telematics.states import RetentionKind

if TYPE_CHECKING:
    from fleet.telematics.models import RetentionRun


def forget_quarantined(*, at: datetime.datetime) -> RetentionRun | None:
    """Delete what was put aside more than `TELEMATICS_QUARANTINE_DAYS` ago.

    Returns what was written down, None if there was nothing.
    """
    before = at - datetime.timedelta(days=settings.TELEMATICS_QUARANTINE_DAYS)
    old = QuarantinedPoint.objects.filter(received_at__lt=before)
    with transaction.atomic():
        counted = old.count()
        if not counted:
            return None
        removed, _by_model = old.delete()
        return write_down(
            kind=RetentionKind.QUARANTINE,
            subject=before.isoformat(timespec="seconds"),
            counted=counted,
            verified=counted,
            removed=removed,
            at=at,
        )
