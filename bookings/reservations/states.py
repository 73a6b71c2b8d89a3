"""The life of a reservation: a person's one claim on a vehicle, from the first tap to the end."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mobility.core.transitions import Moves


class ReservationState(models.TextChoices):
    """`held` waits for its rider, `consumed` is being ridden; both occupy the rider."""

    HELD = "held", _("held")
    CONSUMED = "consumed", _("in use")
    COMPLETED = "completed", _("completed")
    EXPIRED = "expired", _("expired")
    CANCELLED = "cancelled", _("cancelled")


RESERVATION_MOVES: Moves = {
    ReservationState.HELD: frozenset(
        {ReservationState.CONSUMED, ReservationState.EXPIRED, ReservationState.CANCELLED}
    ),
    ReservationState.CONSUMED: frozenset({ReservationState.COMPLETED}),
    ReservationState.COMPLETED: frozenset(),
    ReservationState.EXPIRED: frozenset(),
    ReservationState.CANCELLED: frozenset(),
}

ACTIVE = (ReservationState.HELD, ReservationState.CONSUMED)
UNUSED = (ReservationState.EXPIRED, ReservationState.CANCELLED)
