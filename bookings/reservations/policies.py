"""An operator's rules, kept by each process for a few seconds: every reservation asks for them."""

import time
from typing import Any

from django.db.models.signals import post_delete, post_save

from bookings.reservations.models import ReservationPolicy

KEEP_S = 5.0
_kept: dict[int, tuple[float, ReservationPolicy]] = {}


def policy_of(organisation_id: int) -> ReservationPolicy:
    """The rules of an operator, the defaults if it set none; a change is seen within `KEEP_S`."""
    known = _kept.get(organisation_id)
    if known is not None and time.monotonic() - known[0] < KEEP_S:
        return known[1]
    policy = ReservationPolicy.objects.filter(organisation=organisation_id).first()
    policy = policy or ReservationPolicy(organisation_id=organisation_id)
    _kept[organisation_id] = (time.monotonic(), policy)
    return policy


def _forget(**_signal: Any) -> None:
    """The process that changed a policy sees it at once."""
    _kept.clear()


post_save.connect(_forget, sender=ReservationPolicy, dispatch_uid="reservation-policies-saved")
post_delete.connect(_forget, sender=ReservationPolicy, dispatch_uid="reservation-policies-gone")
