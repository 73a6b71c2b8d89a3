"""Ending a trip: all that is in the way in one answer, and a meter that stands from the first
valid attempt on, whatever the lock does afterwards.

DomainError
├── NotFound  TripNotFound
└── Conflict  EndBlocked, TripNotStarted
"""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from bookings.pricing.rules import ZoneWhen, rewards_in
from bookings.rewards.services import earn_rewards
from bookings.trips import rules
from bookings.trips.events import TripEndRefused
from bookings.trips.models import Trip
from bookings.trips.queries import (
    EndCondition,
    EndTerms,
    PlaceJudged,
    end_terms,
    frozen_perks,
    judge_end,
    zone_marks,
)
from bookings.trips.rules import Fix
from bookings.trips.services.start import fail_start
from bookings.trips.services.stop import Ending, begin_ending
from bookings.trips.states import OVER, RIDING, EndReason, TripFlag, TripState, Waiver
from mobility.core import outbox
from mobility.core.errors import Conflict, NotFound
from mobility.core.principals import Principal
from mobility.core.transitions import LostRace

# A photo that is asked for may follow the end within this time; in an outage within the longer one.
PHOTO_WITHIN = datetime.timedelta(minutes=15)
PHOTO_IN_OUTAGE = datetime.timedelta(hours=24)
# How often an end looks again when a pause, a resume or the vehicle's answer crossed it.
TRIES = 3
# What moves under an end that lost a race.
MOVING_FIELDS = (
    "state",
    "started_at",
    "end_requested_at",
    "ended_at",
    "end_reason",
    "waiting_since",
    "stretches",
    "commands",
    "flags",
    "idle_since",
    "failure",
)


class EndBlocked(Conflict):
    """The trip cannot end here; `extra["conditions"]` lists everything that is in the way."""

    code = "end_blocked"
    message = _("Your trip cannot end here yet. See what is missing; it goes on until then.")


class TripNotFound(NotFound):
    """No such trip of this person."""

    code = "trip_not_found"
    message = _("We could not find this trip.")


class TripNotStarted(Conflict):
    """There is nothing to end."""

    code = "trip_not_started"
    message = _("This trip did not start; nothing is charged.")


def end_trip(
    *, trip: Trip, phone: Fix | None, at: datetime.datetime, by: Principal, bay: str = ""
) -> tuple[EndCondition, ...]:
    """End a trip, or say everything that is in the way; an empty answer means it is ending.

    1. A trip that ends or has ended is left as it is. One whose vehicle has not unlocked yet is
       called off, free of charge.
    2. In an outage every attempt ends the trip: the meter stands at the rider's first one.
    3. Else judge the place, the photo and the plug (`judge_end`); `bay` is the code on a bay's post.
    4. With conditions unmet the refusal is kept on the trip and the trip goes on.
    5. Else the meter stands at `at`, or where the lock was shut by hand if that ends trips here,
       and the vehicle is told to lock.

    Whatever crosses an end (a pause, a second phone, the vehicle's answer) does not refuse it: the
    trip is looked at again. Raises `TripNotStarted`, and `LostRace` after too many such crossings.
    """
    for _again in range(TRIES - 1):
        try:
            return _end(trip, phone=phone, bay=bay, at=at, by=by)
        except LostRace:
            trip.refresh_from_db(fields=MOVING_FIELDS)
    return _end(trip, phone=phone, bay=bay, at=at, by=by)


def force_end(*, trip: Trip, reason: str, at: datetime.datetime, by: Principal) -> Trip:
    """Staff end a trip wherever it is: the meter stands now, the lock is tried all the same.

    Raises `TripNotStarted` unless the trip is under way; ending twice is ending once.
    """
    for _again in range(TRIES):
        if trip.state == TripState.ENDING or trip.state in OVER:
            return trip
        if trip.state not in RIDING:
            raise TripNotStarted
        how = Ending(
            reason=EndReason.STAFF, meter_at=at, flags=[TripFlag.ENDED_BY_STAFF], note=reason
        )
        try:
            with transaction.atomic():
                begin_ending(trip, how, at=at, by=by)
        except LostRace:
            trip.refresh_from_db(fields=MOVING_FIELDS)
    return trip


def outage_ending(
    trip: Trip, *, incident_id: int, since: datetime.datetime, at: datetime.datetime
) -> Ending:
    """How a trip ends while its operator's vehicles cannot be heard.

    The meter stands at the rider's first attempt since the outage began, the unlocking is given
    back for the trouble, and a photo is asked for.
    """
    return Ending(
        reason=EndReason.OUTAGE,
        meter_at=rules.first_attempt(attempts(trip), since=since) or at,
        flags=[TripFlag.OUTAGE, TripFlag.PHOTO_ASKED],
        waiver=Waiver.UNLOCK,
        incident_id=incident_id,
        photo_due_at=at + PHOTO_IN_OUTAGE,
    )


def attempts(trip: Trip) -> list[datetime.datetime]:
    """Every moment at which the rider tried to end, as far as it is known."""
    first = [] if trip.first_attempt_at is None else [trip.first_attempt_at]
    return [*first, *trip.tried_at]


def _end(
    trip: Trip, *, phone: Fix | None, bay: str, at: datetime.datetime, by: Principal
) -> tuple[EndCondition, ...]:
    if trip.state == TripState.ENDING or trip.state in OVER:
        return ()
    if trip.state == TripState.START_FAILED:
        raise TripNotStarted
    with transaction.atomic():
        if trip.state == TripState.STARTING:
            fail_start(trip=trip, failure="called_off", at=at, by=by)
            return ()
        terms = end_terms(trip=trip, at=at)
        if terms.incident_id is not None and terms.incident_since is not None:
            how = outage_ending(
                trip, incident_id=terms.incident_id, since=terms.incident_since, at=at
            )
            begin_ending(trip, how, at=at, by=by)
            return ()
        judged = judge_end(trip=trip, terms=terms, phone=phone, bay=bay, at=at)
        if judged.conditions:
            _keep_refusal(trip, judged.conditions, at=at)
            return judged.conditions
        begin_ending(trip, _how(trip, judged, terms, at=at), at=at, by=by)
        # The trip was loaded before it was locked.
        trip.reservation.perks = terms.perks
        if judged.fix is not None and rewards_in(terms.perks):
            earn_rewards(perks=frozen_perks(trip), lon=judged.fix.lon, lat=judged.fix.lat, at=at)
    return ()


def _how(trip: Trip, judged: PlaceJudged, terms: EndTerms, *, at: datetime.datetime) -> Ending:
    shut = trip.idle_since if terms.policy.lock_ends_after_s is not None else None
    by_hand = shut is not None and trip.state == TripState.RUNNING and shut < at
    zones = []
    if judged.fix is not None and trip.reservation.fare.zone_fees:
        fix = judged.fix
        zones = zone_marks(trip=trip, when=ZoneWhen.END, lon=fix.lon, lat=fix.lat, at=at)
    return Ending(
        reason=EndReason.LOCK_SHUT if by_hand else EndReason.RIDER,
        meter_at=shut if by_hand and shut is not None else at,
        flags=[*judged.flags, *([TripFlag.PHOTO_ASKED] if judged.uncertain else [])],
        photo_due_at=at + PHOTO_WITHIN if judged.uncertain else None,
        zones=zones,
    )


def _keep_refusal(
    trip: Trip, conditions: tuple[EndCondition, ...], *, at: datetime.datetime
) -> None:
    """For support and the rider: what they were told, since when, and how often."""
    trip.end_refusals += 1
    trip.last_refusal = [condition.code for condition in conditions]
    trip.end_blocked_at = trip.end_blocked_at or at
    trip.first_attempt_at = trip.first_attempt_at or at
    trip.tried_at = rules.note_attempt(trip.tried_at, at=at)
    Trip.objects.filter(pk=trip.pk).update(
        end_refusals=trip.end_refusals,
        last_refusal=trip.last_refusal,
        end_blocked_at=trip.end_blocked_at,
        first_attempt_at=trip.first_attempt_at,
        tried_at=trip.tried_at,
    )
    outbox.publish(
        TripEndRefused(
            trip_id=str(trip.public_id),
            vehicle_id=trip.vehicle_id,
            user_principal=trip.user.principal,
            conditions=trip.last_refusal,
            refusals=trip.end_refusals,
            at=at,
        ),
        at=at,
    )
