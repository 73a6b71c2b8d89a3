"""The keeper of trips that nobody looks after: paused, told and ended by the operator's policy."""

import datetime
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import F, Q

from bookings.trips import rules
from bookings.trips.events import TripPrompted
from bookings.trips.models import Trip, TripPolicy
from bookings.trips.queries import all_policies, end_terms, judge_end, limits_of, policy_in
from bookings.trips.rules import Care, Deed, Limits, Standing
from bookings.trips.services.orders import KEEPER, trip_ref
from bookings.trips.services.pause import pause_trip
from bookings.trips.services.stop import Ending, begin_ending
from bookings.trips.states import EndReason, Notice, TripFlag, TripState, Waiver
from fleet.maintenance.services import accept_fault, report_fault
from fleet.maintenance.states import FaultCategory, FaultSource, Priority
from mobility.core import outbox

LIMIT = 200
STILL_CMS = 50

# Since when each vehicle under way stands still and locked, by its own fresh word since the last
# unlocking or pause; only rows that change are written. Our clock, not the device's, which may be wrong.
_NOTE_IDLE = """
UPDATE bookings_trip trip
SET idle_since = CASE WHEN latest.locked AND COALESCE(latest.speed_cms, 0) <= %(still)s
                      THEN %(at)s::timestamptz END
FROM fleet_lateststate latest
WHERE trip.state IN ('running', 'paused') AND latest.vehicle_id = trip.vehicle_id
  AND latest.received_at > %(fresh)s
  AND latest.received_at > (trip.stretches -> -1 ->> 'start')::timestamptz
  AND (trip.idle_since IS NULL)
      = (COALESCE(latest.locked, FALSE) AND COALESCE(latest.speed_cms, 0) <= %(still)s)
"""


def note_idle(*, at: datetime.datetime) -> int:
    """Note which vehicles under way stand still and locked, and which do no more; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_IDLE, {"at": at, "fresh": at - rules.FRESH, "still": STILL_CMS})
        return int(cursor.rowcount)


def trips_in_need(*, at: datetime.datetime) -> list[tuple[Trip, Care]]:
    """Trips for which something is to be done now, and what; two queries.

    The database leaves out what no policy could mean: vehicles that move, batteries that are well.
    """
    policies = all_policies()
    terms = [limits_of(policy) for policy in (TripPolicy(), *policies.values())]
    riding = Trip.objects.riding().with_story().filter(_wanted(terms, at=at))
    # Those whose turn came longest ago first, so that no crowd hides the others for ever.
    rows = riding.order_by(F("idle_since").asc(nulls_last=True), "id")[:LIMIT]
    found = []
    for trip in rows:
        care = rules.next_deed(standing_of(trip), limits_of(policy_in(policies, trip)), at=at)
        if care is not None:
            found.append((trip, care))
    return found


def _wanted(terms: Sequence[Limits], *, at: datetime.datetime) -> Q:
    """What the most eager of all policies could do something about."""
    idle = [
        span
        for one in terms
        for span in (one.auto_pause, one.first_prompt, one.last_prompt, one.auto_end, one.lock_ends_after)
        if span is not None
    ]  # fmt: skip
    pauses = [one.max_pause for one in terms if one.max_pause is not None]
    low = max(one.low_battery_pct for one in terms)
    dead = max(one.dead_battery_pct for one in terms)
    silent_since = at - min(one.dead_after for one in terms)
    wanted = Q(vehicle__latest__battery_pct__lte=low) & ~Q(noticed__contains=[Notice.LOW_BATTERY])
    wanted |= Q(
        vehicle__latest__battery_pct__lte=dead, vehicle__latest__received_at__lte=silent_since
    )
    if idle:
        not_asked = Q(state=TripState.RUNNING) | Q(flags__contains=[TripFlag.AUTO_PAUSED])
        wanted |= not_asked & Q(idle_since__lte=at - min(idle))
    if pauses:
        long = Q(waiting_since=None) | Q(waiting_since__lte=at - min(pauses) + rules.PAUSE_NOTICE)
        wanted |= Q(state=TripState.PAUSED) & long
    return wanted


def take_care(trip: Trip, care: Care, *, at: datetime.datetime) -> None:
    """Do what is due about one trip, in the caller's transaction. Raises `LostRace`."""
    if care.deed is Deed.PAUSE:
        pause_trip(trip=trip, at=at, by=KEEPER, itself=True)
    elif care.deed is Deed.TELL and care.notice is not None:
        _prompt(trip, care.notice, at=at)
    elif care.reason is not None:
        _end(trip, care, at=at)


def standing_of(trip: Trip) -> Standing:
    """How a trip (loaded with its story) stands, for the rules."""
    latest = getattr(trip.vehicle, "latest", None)
    last = trip.stretches[-1] if trip.stretches else {}
    asked = trip.state == TripState.PAUSED and not last.get("itself")
    began = datetime.datetime.fromisoformat(last["start"]) if asked else None
    return Standing(
        paused=trip.state == TripState.PAUSED,
        idle_since=trip.idle_since,
        pause_since=began,
        heard_at=latest.received_at if latest else None,
        good_at=latest.at if latest else None,
        battery_pct=latest.battery_pct if latest else None,
        noticed=trip.noticed,
    )


def _prompt(trip: Trip, notice: Notice, *, at: datetime.datetime) -> None:
    """Tell once: whoever else tells at the same time finds it told."""
    untold = Trip.objects.riding().filter(pk=trip.pk).exclude(noticed__contains=[notice])
    with transaction.atomic():
        if not untold.update(noticed=[*trip.noticed, notice]):
            return
        outbox.publish(
            TripPrompted(
                trip_id=str(trip.public_id),
                user_principal=trip.user.principal,
                notice=notice.value,
                at=at,
            ),
            at=at,
        )


def _end(trip: Trip, care: Care, *, at: datetime.datetime) -> None:
    # Both come with every care that ends; this narrows the types.
    assert care.reason is not None
    dead = care.reason == EndReason.BATTERY_DEAD
    flags = [TripFlag.AUTO_ENDED, *([TripFlag.BATTERY_DEAD] if dead else _misplaced(trip, at=at))]
    how = Ending(
        reason=care.reason,
        meter_at=care.meter_at or at,
        flags=flags,
        waiver=Waiver.UNLOCK if dead else Waiver.NOTHING,
    )
    begin_ending(trip, how, at=at, by=KEEPER)
    if dead:
        _fetch_vehicle(trip, at=at)


def _misplaced(trip: Trip, *, at: datetime.datetime) -> list[TripFlag]:
    """It is over wherever it stands; staff see where it may not."""
    judged = judge_end(trip=trip, terms=end_terms(trip=trip, at=at), phone=None, at=at)
    wrong = any(condition.nearest is not None for condition in judged.conditions)
    return [TripFlag.MISPLACED] if wrong else []


def _fetch_vehicle(trip: Trip, *, at: datetime.datetime) -> None:
    """A dead vehicle stands somewhere with nobody to lock it: urgent work."""
    fault = report_fault(
        vehicle_id=trip.vehicle_id,
        source=FaultSource.SYSTEM,
        category=FaultCategory.BATTERY,
        trip_ref=trip_ref(trip),
        evidence={"reason": "died_on_a_trip"},
        at=at,
        by=KEEPER,
    )
    accept_fault(fault_id=fault.pk, priority=Priority.URGENT, at=at, by=KEEPER)
