"""What every reservation asks for, kept by each process for a few seconds.

The rules of each operator, and who needs more time to reach a vehicle: few rows, so that all of
them are read at once and nobody else's reservation costs a query for it.
"""

from typing import Any

from django.db.models.signals import post_delete, post_save

from bookings.reservations.models import ReservationPolicy
from bookings.riders.models import RiderProfile
from mobility.core.remembering import Remembered

KEEP_S = 5.0


def policy_of(organisation_id: int) -> ReservationPolicy:
    """The rules of an operator, the defaults if it set none; a change is seen within `KEEP_S`."""
    found = _policies().get(organisation_id)
    return found or ReservationPolicy(organisation_id=organisation_id)


def needs_time(user_id: int) -> bool:
    """Whether the person has told, with consent, that they need more time."""
    return user_id in _slower()


def _read_policies() -> dict[int, ReservationPolicy]:
    return {row.organisation_id: row for row in ReservationPolicy.objects.all()}


def _read_slower() -> frozenset[int]:
    people = RiderProfile.objects.filter(reduced_mobility=True)
    return frozenset(people.values_list("user_id", flat=True))


_policies = Remembered(_read_policies, seconds=KEEP_S)
_slower = Remembered(_read_slower, seconds=KEEP_S)


def _forget(**_signal: Any) -> None:
    """The process that changed a policy sees it at once."""
    _policies.forget()


def _forget_people(**_signal: Any) -> None:
    _slower.forget()


post_save.connect(_forget, sender=ReservationPolicy, dispatch_uid="reservation-policies-saved")
post_delete.connect(_forget, sender=ReservationPolicy, dispatch_uid="reservation-policies-gone")
post_save.connect(_forget_people, sender=RiderProfile, dispatch_uid="slower-people-saved")
post_delete.connect(_forget_people, sender=RiderProfile, dispatch_uid="slower-people-gone")
