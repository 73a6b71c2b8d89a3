"""What can be wrong with a vehicle, the work that puts it right, and the declared moves of both."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class FaultSource(models.TextChoices):
    """Who noticed."""

    RESIDENT = "resident", _("Resident")
    CREW = "crew", _("Crew")
    ALARM = "alarm", _("Alarm")
    SYSTEM = "system", _("System")


class FaultCategory(models.TextChoices):
    """What is wrong, in words a person on the street would choose."""

    BRAKES = "brakes", _("Brakes")
    TYRE = "tyre", _("Tyre")
    LIGHTS = "lights", _("Lights")
    LOCK = "lock", _("Lock")
    BATTERY = "battery", _("Battery")
    DISPLAY = "display", _("Display")
    DAMAGE = "damage", _("Damage")
    DIRTY = "dirty", _("Dirty")
    MISPARKED = "misparked", _("Badly parked")
    OTHER = "other", _("Something else")


class FaultState(models.TextChoices):
    """What became of a report."""

    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Accepted")
    RESOLVED = "resolved", _("Resolved")
    DISMISSED = "dismissed", _("Dismissed")


class Severity(models.IntegerChoices):
    """How bad; dangerous takes the vehicle off the street at once."""

    DANGEROUS = 1, _("Dangerous")
    ANNOYING = 2, _("Annoying")
    COSMETIC = 3, _("Cosmetic")


class OrderState(models.TextChoices):
    """From the need to the vehicle that is well again."""

    OPEN = "open", _("Open")
    ASSIGNED = "assigned", _("Assigned")
    IN_PROGRESS = "in_progress", _("In progress")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class OrderReason(models.TextChoices):
    """Why work is needed: a fault by its category, or work that is due without one."""

    BRAKES = "brakes", _("Brakes")
    TYRE = "tyre", _("Tyre")
    LIGHTS = "lights", _("Lights")
    LOCK = "lock", _("Lock")
    BATTERY = "battery", _("Battery")
    DISPLAY = "display", _("Display")
    DAMAGE = "damage", _("Damage")
    DIRTY = "dirty", _("Dirty")
    MISPARKED = "misparked", _("Badly parked")
    OTHER = "other", _("Something else")
    PREVENTIVE = "preventive", _("Preventive")
    INSPECTION = "inspection", _("Inspection")


class Priority(models.IntegerChoices):
    """What comes first; the smaller number."""

    URGENT = 1, _("Urgent")
    HIGH = 2, _("High")
    NORMAL = 3, _("Normal")
    LOW = 4, _("Low")


class Verdict(models.TextChoices):
    """The answer to one item of a checklist."""

    PASSED = "passed", _("In order")
    FAILED = "failed", _("Not in order")
    NOT_APPLICABLE = "not_applicable", _("Does not apply")


class Place(models.TextChoices):
    """Where work is done."""

    STREET = "street", _("On the street")
    WORKSHOP = "workshop", _("In the workshop")


OPEN_FAULTS = (FaultState.OPEN, FaultState.ACCEPTED)
OPEN_ORDERS = (OrderState.OPEN, OrderState.ASSIGNED, OrderState.IN_PROGRESS)

FAULT_MOVES: dict[str, frozenset[str]] = {
    FaultState.OPEN: frozenset(
        {FaultState.ACCEPTED, FaultState.RESOLVED, FaultState.DISMISSED},
    ),
    FaultState.ACCEPTED: frozenset({FaultState.RESOLVED, FaultState.DISMISSED, FaultState.OPEN}),
    FaultState.RESOLVED: frozenset(),
    FaultState.DISMISSED: frozenset(),
}

ORDER_MOVES: dict[str, frozenset[str]] = {
    OrderState.OPEN: frozenset(
        {OrderState.ASSIGNED, OrderState.IN_PROGRESS, OrderState.CANCELLED},
    ),
    # Assigned to somebody else it stays assigned.
    OrderState.ASSIGNED: frozenset(
        {OrderState.OPEN, OrderState.ASSIGNED, OrderState.IN_PROGRESS, OrderState.CANCELLED},
    ),
    # Work that was begun can be given up, never forgotten.
    OrderState.IN_PROGRESS: frozenset({OrderState.DONE, OrderState.CANCELLED}),
    OrderState.DONE: frozenset(),
    OrderState.CANCELLED: frozenset(),
}
