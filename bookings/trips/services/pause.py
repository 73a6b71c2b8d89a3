"""Pausing and resuming."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.pricing.rules import SegmentKind
from bookings.trips import rules
from bookings.trips.models import Trip
from bookings.trips.services.orders import KEEPER, order, trip_ref
from bookings.trips.states import Notice, Step, TripFlag, TripState
from fleet.vehicles.services import mark_trip
from fleet.vehicles.states import TripMark
from mobility.core.errors import Conflict
from mobility.core.principals import Principal
from mobility.core.transitions import move


class TripNotPausable(Conflict):
    """Only a running trip pauses, only a paused one resumes."""

    code = "trip_not_pausable"
    message = _("This is not possible while your trip is: %(state)s.")


def pause_trip(*, trip: Trip, at: datetime.datetime, by: Principal, itself: bool = False) -> Trip:
    """Pause a running trip: the cheaper minute counts at once, the vehicle is told to lock.

    `itself` says that nobody asked for it: such a pause has no length of its own, the vehicle just
    stands. Pausing a paused trip changes nothing. Raises `TripNotPausable`, `LostRace`.
    """
    return _switch(
        trip,
        to=TripState.PAUSED,
        kind=SegmentKind.PAUSED,
        mark=TripMark.PAUSED,
        step=Step.PAUSE,
        at=at,
        by=by,
        itself=itself,
    )


def resume_trip(*, trip: Trip, at: datetime.datetime, by: Principal) -> Trip:
    """Go on riding: the vehicle is told to unlock; if it does not, the pause goes on.

    Resuming a running trip changes nothing. Raises `TripNotPausable`, `LostRace`.
    """
    return _switch(
        trip,
        to=TripState.RUNNING,
        kind=SegmentKind.RUNNING,
        mark=TripMark.RESUMED,
        step=Step.RESUME,
        at=at,
        by=by,
    )


def undo_resume(*, trip: Trip, at: datetime.datetime) -> None:
    """The vehicle did not unlock: the pause never ended, and no riding minute is counted."""
    stretches = rules.reopen_previous(trip.stretches)
    move(
        trip,
        to=TripState.PAUSED,
        at=at,
        by=KEEPER,
        reason="unlock_failed",
        stretches=stretches,
        waiting_since=datetime.datetime.fromisoformat(stretches[-1]["start"]),
    )
    _mark(trip, TripMark.PAUSED, at=at, by=KEEPER)


def resume_late(*, trip: Trip, at: datetime.datetime) -> None:
    """The vehicle unlocked after we had stopped waiting: the ride goes on from when we know it."""
    move(
        trip,
        to=TripState.RUNNING,
        at=at,
        by=KEEPER,
        reason="unlocked_late",
        waiting_since=None,
        stretches=rules.switch(trip.stretches, SegmentKind.RUNNING, at=at),
    )
    _mark(trip, TripMark.RESUMED, at=at, by=KEEPER)


def flag_pause(*, trip: Trip) -> None:
    """The vehicle did not lock at the pause: the rider sees it, the price stays the kinder one."""
    if TripFlag.PAUSE_UNCONFIRMED not in trip.flags:
        flags = [*trip.flags, TripFlag.PAUSE_UNCONFIRMED]
        Trip.objects.filter(pk=trip.pk).update(flags=flags)


def _switch(
    trip: Trip,
    *,
    to: TripState,
    kind: SegmentKind,
    mark: TripMark,
    step: Step,
    at: datetime.datetime,
    by: Principal,
    itself: bool = False,
) -> Trip:
    if trip.state == to:
        return trip
    if trip.state not in {TripState.RUNNING, TripState.PAUSED}:
        raise TripNotPausable(state=trip.get_state_display())
    number = trip.commands + 1
    stretches = rules.switch(trip.stretches, kind, at=at, itself=itself)
    # Who acts rides: reminders and a refused end are about what was before.
    fresh: dict[str, Any] = (
        {} if itself else {"idle_since": None, "noticed": _lasting(trip.noticed)}
    )
    flags = list(dict.fromkeys([*trip.flags, TripFlag.AUTO_PAUSED])) if itself else trip.flags
    with transaction.atomic():
        move(
            trip,
            to=to,
            at=at,
            by=by,
            stretches=stretches,
            commands=number,
            flags=flags,
            # A paused trip waits for its rider; the keeper looks at how long.
            waiting_since=at if to == TripState.PAUSED else None,
            **fresh,
        )
        _mark(trip, mark, at=at, by=by)
        ttl_s = rules.UNLOCK_TTL_S if step is Step.RESUME else rules.LOCK_TTL_S
        order(trip, step, number=number, ttl_s=ttl_s, at=at, by=by)
    return trip


def _lasting(noticed: Sequence[str]) -> list[str]:
    """What need not be told again on this ride."""
    return [notice for notice in noticed if notice == Notice.LOW_BATTERY]


def _mark(trip: Trip, mark: TripMark, *, at: datetime.datetime, by: Principal) -> None:
    mark_trip(hold_id=trip.reservation.hold_id, mark=mark, trip_ref=trip_ref(trip), at=at, by=by)
