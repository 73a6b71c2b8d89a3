"""One person's dealings with the organisations that the reader answers for, and one ride second by second.

A member of staff sees of a person what their own organisation has to do with them, and nothing else:
somebody who never dealt with it cannot be found.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from django.db.models import Q, QuerySet

from bookings.payments.models import Payment, Refund
from bookings.recharges.models import Recharge
from bookings.support.models import ANSWERERS, SupportCase
from bookings.trips.models import EndPhoto, StartPhoto, Trip
from fleet.telematics import queries as telematics
from fleet.telematics.models import Alarm, TripTrack
from fleet.telematics.records import from_us
from fleet.vehicles.models import VehicleCommand
from mobility.accounts.models import User
from mobility.core.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_PEOPLE = 25
MOST_ROWS = 50
# Of each kind of dealings: the newest; what is older stands in the lists.
MOST_DEALINGS = 25
# A ride of a day with a point every five seconds is thinned to what a screen can show.
MOST_POINTS = 2_000
# Commands are sent a little before a ride begins, and the lock answers a little after its end.
AROUND = datetime.timedelta(minutes=2)
_E7 = 1e7


def people_of(*, staff: User) -> QuerySet[User]:
    """Everybody who has dealt with the organisations that `staff` answers for, never themselves."""
    people = User.objects.exclude(pk=staff.pk)
    if staff.is_superuser:
        return people
    theirs = staff.organisations_as(*ANSWERERS)
    dealings: Iterable[QuerySet[Any]] = (
        Trip.objects.filter(organisation__in=theirs).values("user"),
        Recharge.objects.filter(organisation__in=theirs).values("user"),
        Payment.objects.filter(organisation__in=theirs).values("payer"),
        SupportCase.objects.filter(organisation__in=theirs).values("user"),
    )
    known = Q(pk__in=[])
    for rows in dealings:
        known |= Q(pk__in=rows)
    return people.filter(known)


def found(*, staff: User, words: str) -> list[User]:
    """People by e-mail address or name, a case number, a vehicle they rode, or the id of a ride."""
    wanted = Q(email__icontains=words) | Q(name__icontains=words)
    mine = staff.organisations_as(*ANSWERERS)
    trips, cases = Trip.objects.all(), SupportCase.objects.all()
    if not staff.is_superuser:
        trips, cases = trips.filter(organisation__in=mine), cases.filter(organisation__in=mine)
    wanted |= Q(pk__in=cases.filter(case_number__iexact=words).values("user"))
    # The last who rode a vehicle are meant when somebody names it.
    riders = trips.filter(vehicle__code__iexact=words).order_by("-pk").values("user")[:MOST_PEOPLE]
    wanted |= Q(pk__in=list(riders.values_list("user", flat=True)))
    if (ref := _uuid(words)) is not None:
        wanted |= Q(public_id=ref) | Q(pk__in=trips.filter(public_id=ref).values("user"))
    return list(people_of(staff=staff).filter(wanted).order_by("email")[:MOST_PEOPLE])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Dealings:
    """What one page shows of a person, newest first; of what is `cut` there is more."""

    trips: list[Trip]
    recharges: list[Recharge]
    payments: list[Payment]
    refunds: list[Refund]
    cases: list[SupportCase]
    cut: frozenset[str]


def dealings(*, staff: User, person: User) -> Dealings:
    """A person's rides, charges, payments, refunds and cases with the reader's organisations;
    a constant number of queries."""
    rows: dict[str, Any] = {
        "trips": Trip.objects.filter(user=person).select_related("vehicle", "payment"),
        "recharges": Recharge.objects.filter(user=person).select_related(
            "connector__evse__station", "payment"
        ),
        "payments": Payment.objects.filter(payer=person).select_related("organisation"),
        "refunds": Refund.objects.filter(payment__payer=person).select_related("payment"),
        "cases": SupportCase.objects.filter(user=person)
        .select_related("payment")
        .prefetch_related("messages"),
    }
    found: dict[str, Any] = {
        name: list(some.visible_to(staff).order_by("-pk")[: MOST_DEALINGS + 1])
        for name, some in rows.items()
    }
    return Dealings(
        **{name: some[:MOST_DEALINGS] for name, some in found.items()},
        cut=frozenset(name for name, some in found.items() if len(some) > MOST_DEALINGS),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened in a ride; `what` is a key, `words` the rest."""

    at: datetime.datetime
    what: str
    words: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Replay:
    """A ride as it was: the points in the order of time, what happened, what the vehicle was told."""

    points: list[dict[str, Any]]
    moments: list[Moment]
    commands: list[VehicleCommand]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pictures:
    """What the rider photographed: the vehicle as they found it, and as they left it."""

    found: list[StartPhoto]
    parked: list[EndPhoto]


def pictures(*, trip: Trip) -> Pictures:
    """The photos of a ride in the order of time; two queries."""
    return Pictures(
        found=list(StartPhoto.objects.before(trip).select_related("file").order_by("pk")),
        parked=list(EndPhoto.objects.filter(trip=trip).select_related("file").order_by("pk")),
    )


def replay(*, trip: Trip, at: datetime.datetime) -> Replay:
    """Where the vehicle was and what happened from the request to the end, or until now.

    When the single points are gone by retention, the simplified line is shown without times.
    """
    start, end = trip.requested_at - AROUND, (trip.ended_at or at) + AROUND
    commands = VehicleCommand.objects.filter(
        vehicle=trip.vehicle_id, created_at__gte=start, created_at__lte=end
    )
    orders = list(commands.order_by("created_at"))
    moments = [*_own(trip), *_audited(trip), *_alarms(trip, start, end)]
    return Replay(
        points=_points(trip, end=trip.ended_at or at) or _line(trip),
        moments=sorted(moments, key=lambda one: one.at),
        commands=orders,
    )


def _points(trip: Trip, *, end: datetime.datetime) -> list[dict[str, Any]]:
    if trip.started_at is None:
        return []
    points = telematics.track(vehicle_id=trip.vehicle_id, start=trip.started_at, end=end)
    if len(points) > MOST_POINTS:
        points = points[np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)]
    return [
        {
            "lon": int(point["lon_e7"]) / _E7,
            "lat": int(point["lat_e7"]) / _E7,
            "at": from_us(int(point["at_us"])).isoformat(),
            "speed_kmh": round(int(point["speed_cms"]) * 0.036)
            if point["speed_cms"] >= 0
            else None,
        }
        for point in points
    ]


def _line(trip: Trip) -> list[dict[str, Any]]:
    track = TripTrack.objects.filter(trip_ref=str(trip.public_id)).first()
    if track is None or track.line is None:
        return []
    return [
        {"lon": lon, "lat": lat, "at": None, "speed_kmh": None} for lon, lat in track.line.coords
    ]


def _own(trip: Trip) -> Iterable[Moment]:
    yield Moment(at=trip.requested_at, what="requested")
    for stretch in trip.stretches:
        begun = datetime.datetime.fromisoformat(stretch["start"])
        yield Moment(at=begun, what=f"stretch_{stretch['kind']}")
    for tried in trip.tried_at:
        yield Moment(at=tried, what="end_refused")
    if trip.end_requested_at is not None:
        yield Moment(at=trip.end_requested_at, what="end_requested")
    if trip.ended_at is not None:
        yield Moment(at=trip.ended_at, what="ended", words=trip.get_end_reason_display())


def _audited(trip: Trip) -> Iterable[Moment]:
    entries = AuditEntry.objects.filter(row=f"bookings.trip:{trip.pk}").exclude(action="look")
    for entry in entries.order_by("at")[:MOST_ROWS]:
        yield Moment(at=entry.at, what="deed", words=f"{entry.action} · {entry.by}")


def _alarms(trip: Trip, start: datetime.datetime, end: datetime.datetime) -> Iterable[Moment]:
    alarms = Alarm.objects.filter(vehicle=trip.vehicle_id, opened_at__gte=start, opened_at__lte=end)
    for alarm in alarms:
        yield Moment(at=alarm.opened_at, what="alarm", words=alarm.get_kind_display())


def _uuid(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None
