"""A reservation for longer than it is free, for money and by its rider's own wish.

DomainError
├── Conflict  ExtensionRefused       the longest time is reached, or somebody has booked it
└── (402)     PaymentMethodRequired  longer costs money
"""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.payments.models import PaymentMethod
from bookings.payments.services import PaymentMethodRequired, refuse_debtor
from bookings.reservations import rules
from bookings.reservations.models import Reservation
from bookings.reservations.services.claim import ReservationExpired
from bookings.reservations.services.close import ReservationClosed, ReservationInUse
from bookings.reservations.states import ReservationState
from fleet.vehicles.services import HoldOver, extend_as_far
from mobility.core import audit
from mobility.core.errors import Conflict
from mobility.core.principals import Principal


class ExtensionRefused(Conflict):
    """`extra["reason"]` is `longest` or `booked`; with `available_until` where it is known."""

    code = "extension_refused"
    message = _("This reservation cannot be made longer.")


def extend_reservation(
    *,
    reservation: Reservation,
    at: datetime.datetime,
    by: Principal,
    minutes: int | None = None,
) -> Reservation:
    """Hold the vehicle longer: by `minutes`, else by one extension of the tariff.

    Every started minute beyond the free ones costs what the quote says, ridden or not. It ends where
    a booking of somebody else begins. Raises `ExtensionRefused`, `ReservationExpired`,
    `ReservationClosed`, `ReservationInUse`, `PaymentMethodRequired`, `DebtOutstanding`.
    """
    with transaction.atomic():
        row = Reservation.objects.select_for_update(of=("self",)).get(pk=reservation.pk)
        _refuse_over(row, at=at)
        until = _until(row, minutes=minutes)
        _refuse_unpaid(row)
        try:
            granted = extend_as_far(
                hold_id=row.hold_id, until=until + rules.HOLD_MARGIN, at=at, by=by
            )
        except HoldOver as problem:
            raise ReservationClosed from problem
        until = min(until, granted)
        if until <= row.expires_at:
            raise ExtensionRefused(
                extra={"reason": "booked", "available_until": granted.isoformat()}
            )
        row.expires_at = until
        row.save(update_fields=["expires_at"])
        audit.record(by=by, action="extend", row=row, at=at, changes={"until": until.isoformat()})
    reservation.expires_at = until
    return reservation


def _until(row: Reservation, *, minutes: int | None) -> datetime.datetime:
    fare = row.fare
    longest = row.reserved_at + datetime.timedelta(minutes=rules.longest_minutes(fare))
    more = datetime.timedelta(minutes=minutes or rules.extension_minutes(fare))
    if row.expires_at >= longest:
        raise ExtensionRefused(
            extra={"reason": "longest", "longest_minutes": rules.longest_minutes(fare)}
        )
    return min(row.expires_at + more, longest)


def _refuse_over(row: Reservation, *, at: datetime.datetime) -> None:
    if row.state == ReservationState.CONSUMED:
        raise ReservationInUse
    if row.state == ReservationState.HELD:
        if rules.still_startable(expires_at=row.expires_at, at=at):
            return
        raise ReservationExpired
    raise ReservationClosed


def _refuse_unpaid(row: Reservation) -> None:
    """Longer costs money, if the tariff asks for it: then there has to be a card, and no debt."""
    if not row.fare.hold_minute_cents:
        return
    refuse_debtor(payer_id=row.user_id)
    if not PaymentMethod.objects.filter(user_id=row.user_id).usable().exists():
        raise PaymentMethodRequired
