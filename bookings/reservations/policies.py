"""What every reservation asks for, kept by each process for a few seconds.

The rules of each operator, and who needs more time to reach a vehicle: few people, so that all of
them are read at once and nobody else's reservation costs a query for it.
"""

import time
from typing import Any

from django.db.models.signals import post_delete, post_save

from bookings.reservations.models import ReservationPolicy
from bookings.riders.models import RiderProfile

KEEP_S = 5.0
_kept: dict[int, tuple[float, ReservationPolicy]] = {}
_slower: dict[None, tuple[float, frozenset[int]]] = {}


def policy_of(organisation_id: int) -> ReservationPolicy:
    """The rules of an operator, the defaults if it set none; a change is seen within `KEEP_S`."""
    known = _kept.get(organisation_id)
    if known is not None and time.monotonic() - known[0] < KEEP_S:
        return known[1]
    policy = ReservationPolicy.objects.filter(organisation=organisation_id).first()
    policy = policy or ReservationPolicy(organisation_id=organisation_id)
    _kept[organisation_id] = (time.monotonic(), policy)
    return policy


def needs_time(user_id: int) -> bool:
    """Whether the person has told, with consent, that they need more time."""
    known = _slower.get(None)
    if known is None or time.monotonic() - known[0] >= KEEP_S:
        people = RiderProfile.objects.filter(reduced_mobility=True)
        known = (time.monotonic(), frozenset(people.values_list("user_id", flat=True)))
        _slower[None] = known
    return user_id in known[1]


def _forget(**_signal: Any) -> None:
    """The process that changed a policy sees it at once."""
    _kept.clear()


def _forget_people(**_signal: Any) -> None:
    _slower.clear()


post_save.connect(_forget, sender=ReservationPolicy, dispatch_uid="reservation-policies-saved")
post_delete.connect(_forget, sender=ReservationPolicy, dispatch_uid="reservation-policies-gone")
post_save.connect(_forget_people, sender=RiderProfile, dispatch_uid="slower-people-saved")
post_delete.connect(_forget_people, sender=RiderProfile, dispatch_uid="slower-people-gone")
