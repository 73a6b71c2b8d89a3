"""What stations told of themselves, and jobs they did, kept for a year."""

from __future__ import annotations

from datetime import datetime

from charging.devices.models import BatterySwap, DeviceEvent, FirmwareJob, LogJob, Report
from charging.devices.states import FIRMWARE_ENDS, LOG_ENDS
from charging.stations.services import forget_oldest, records_end


def forget_records(*, at: datetime) -> int:
    """Drop events, reports, jobs and swaps whose time is over; returns how many."""
    before = records_end(at=at)
    return sum(
        (
            forget_oldest(DeviceEvent.objects.all, told_at="received_at", before=before),
            forget_oldest(BatterySwap.objects.all, told_at="received_at", before=before),
            forget_oldest(Report.objects.all, told_at="asked_at", before=before),
            forget_oldest(
                lambda: FirmwareJob.objects.filter(state__in=FIRMWARE_ENDS),
                told_at="asked_at",
                before=before,
            ),
            forget_oldest(
                lambda: LogJob.objects.filter(state__in=LOG_ENDS), told_at="asked_at", before=before
            ),
        )
    )
