"""What faults mean and when service is due: pure, without database and clock."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet.maintenance.states import FaultCategory, Priority, Severity, Verdict

# The same person telling the same thing again within this time adds nothing.
SAME_REPORT = datetime.timedelta(minutes=30)

_SEVERITY: dict[str, Severity] = {
    FaultCategory.BRAKES: Severity.DANGEROUS,
    FaultCategory.DAMAGE: Severity.DANGEROUS,
    FaultCategory.DIRTY: Severity.COSMETIC,
    FaultCategory.MISPARKED: Severity.COSMETIC,
}

_PRIORITY: dict[Severity, Priority] = {
    Severity.DANGEROUS: Priority.URGENT,
    Severity.ANNOYING: Priority.HIGH,
    Severity.COSMETIC: Priority.NORMAL,
}

# Alarms that somebody has to go and look at. The others have their own doors: a low battery is
# swapped by plan, a moved vehicle is looked for, a speeding one is the rider's affair.
ALARM_FAULTS: dict[str, FaultCategory] = {
    "tilt": FaultCategory.MISPARKED,
    "silence": FaultCategory.OTHER,
    "left_service_area": FaultCategory.MISPARKED,
}


# At this charge a vehicle that says no more has run dry.
EMPTY_PCT = 5


def alarm_category(*, kind: str, battery_pct: int | None) -> FaultCategory | None:
    """The fault that an alarm stands for, with the last charge that the vehicle told; None if none."""
    if kind == "silence" and battery_pct is not None and battery_pct <= EMPTY_PCT:
        return FaultCategory.BATTERY
    return ALARM_FAULTS.get(kind)


def severity_of(category: str) -> Severity:
    """How bad a fault of this category is, before anybody has looked."""
    return _SEVERITY.get(category, Severity.ANNOYING)


def blocks_renting(category: str) -> bool:
    """Whether nobody may ride until somebody has looked."""
    return severity_of(category) == Severity.DANGEROUS


def priority_of(severities: Iterable[int]) -> Priority:
    """The priority of work on these faults: that of the worst of them."""
    worst = min(severities, default=Severity.ANNOYING)
    return _PRIORITY[Severity(worst)]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """How often service is due: after so many kilometres, days or rides, whichever comes first.

    None means that this measure does not count. `lead_pct` is how much of the interval may still
    be left when the work is ordered, so that it can be planned.
    """

    every_km: int | None = None
    every_days: int | None = None
    every_rides: int | None = None
    lead_pct: int = 0


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a vehicle has done since its last service; None is not known."""

    km: float | None = None
    days: float | None = None
    rides: int | None = None


def wear(interval: Interval, use: Use) -> float:
    """The used share of the interval: 1.0 is due, by the measure that is furthest along."""
    pairs = (
        (use.km, interval.every_km),
        (use.days, interval.every_days),
        (use.rides, interval.every_rides),
    )
    shares = [done / every for done, every in pairs if every and done is not None]
    return max(shares, default=0.0)


def is_due(interval: Interval, use: Use) -> bool:
    """Whether the work should be ordered now, lead-in included."""
    return wear(interval, use) >= 1 - interval.lead_pct / 100


def km_since(*, odometer_m: int | None, baseline_m: int | None) -> float | None:
    """Kilometres since the baseline; a unit that was swapped counts from zero again."""
    if odometer_m is None:
        return None
    before = baseline_m or 0
    return (odometer_m - before if odometer_m >= before else odometer_m) / 1000


def unanswered(
    *,
    required: Mapping[int, bool],
    verdicts: Mapping[int, str],
) -> tuple[list[int], list[int]]:
    """Items that keep a checklist from being passed: (required without answer, failed).

    `required` maps every item to whether it must be answered, `verdicts` the answered ones. A
    required item cannot be waved through as not applicable.
    """
    settled = {Verdict.PASSED, Verdict.FAILED}
    missing = [
        item for item, must in required.items() if must and verdicts.get(item) not in settled
    ]
    failed = [item for item in required if verdicts.get(item) == Verdict.FAILED]
    return missing, failed
