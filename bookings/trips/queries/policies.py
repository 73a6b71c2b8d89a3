"""What operators decided, as trips need it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import JSONObject

from bookings.trips.models import EndPhoto, Incident, Trip, TripPolicy
from bookings.trips.rules import Limits
from bookings.trips.states import BAD_PHOTOS
from mobility.core.prepared import prepared

if TYPE_CHECKING:
    from django.db.models import QuerySet

# How long a bad photo counts.
STRIKES_FOR = datetime.timedelta(days=90)
_TERMS = tuple(field.attname for field in TripPolicy._meta.concrete_fields if not field.primary_key)

Policies = dict[tuple[int, str], TripPolicy]


@dataclass(frozen=True, kw_only=True)
class EndTerms:
    """What an end is judged by: the policy, the outage if there is one, the person's photos."""

    policy: TripPolicy
    incident_id: int | None
    incident_since: datetime.datetime | None
    photos: int
    strikes: int
    perks: list[Any]  # of the ride, as they are now


def all_policies() -> Policies:
    """Every policy by organisation and kind; one query."""
    return {(row.organisation_id, row.kind): row for row in TripPolicy.objects.all()}


def policy_in(policies: Policies, trip: Trip) -> TripPolicy:
    """The policy for a trip, or the defaults."""
    found = policies.get((trip.organisation_id, trip.vehicle.kind))
    return found or TripPolicy(organisation_id=trip.organisation_id, kind=trip.vehicle.kind)


def policy_of(*, trip: Trip) -> TripPolicy:
    """The policy for one trip; one query."""
    return policy_for(organisation_id=trip.organisation_id, kind=trip.vehicle.kind)


def policy_for(*, organisation_id: int, kind: str) -> TripPolicy:
    """What an operator decided for its vehicles of this kind, or the defaults; one query."""
    row = TripPolicy.objects.filter(organisation=organisation_id, kind=kind).first()
    return row or TripPolicy(organisation_id=organisation_id, kind=kind)


def keep_photos_for(*, organisation_id: int, kind: str) -> int:
    """How many days an operator keeps photos of its vehicles of this kind; one query."""
    return policy_for(organisation_id=organisation_id, kind=kind).photo_keep_days


def end_terms(*, trip: Trip, at: datetime.datetime) -> EndTerms:
    """All that an end is judged by beside the place; one query, which locks the trip.

    A reward that its rider accepts at this moment is among its perks, or refused.
    """
    row = _end_terms.first(trip_id=trip.pk, strikes_since=at - STRIKES_FOR)
    assert row is not None
    _pk, perks, terms, incident_id, incident_since, opened_by, photos, strikes = row
    # Whoever declares an outage gets nothing by it: their own ride ends as on any other day.
    theirs = opened_by == trip.user.principal
    terms = terms or {"organisation_id": trip.organisation_id, "kind": trip.vehicle.kind}
    return EndTerms(
        policy=TripPolicy(**terms),
        incident_id=None if theirs else incident_id,
        incident_since=None if theirs else incident_since,
        photos=photos or 0,
        strikes=strikes or 0,
        perks=perks,
    )


@prepared
def _end_terms(*, trip_id: int, strikes_since: datetime.datetime) -> QuerySet[Trip, Any]:
    policy = TripPolicy.objects.filter(
        organisation=OuterRef("organisation"), kind=OuterRef("vehicle__type__kind")
    ).values(terms=JSONObject(**{name: name for name in _TERMS}))
    incident = Incident.objects.open().filter(organisation=OuterRef("organisation"))
    bad = EndPhoto.objects.filter(
        user=OuterRef("user"), state__in=BAD_PHOTOS, taken_at__gt=strikes_since
    )
    return (
        Trip.objects.filter(pk=trip_id)
        .select_for_update(of=("self",))
        .annotate(
            photo_count=Subquery(_counted(EndPhoto.objects.filter(trip=OuterRef("pk")), by="trip")),
            terms=Subquery(policy),
            outage_id=Subquery(incident.values("pk")[:1]),
            outage_since=Subquery(incident.values("since")[:1]),
            outage_by=Subquery(incident.values("opened_by")[:1]),
            strike_count=Subquery(_counted(bad, by="user")),
        )
        .values_list(
            "pk",
            "reservation__perks",
            "terms",
            "outage_id",
            "outage_since",
            "outage_by",
            "photo_count",
            "strike_count",
        )
    )


def _counted(photos: QuerySet[EndPhoto], *, by: str) -> QuerySet[EndPhoto, Any]:
    """How many of them one has, as a subquery; nothing where there are none."""
    counts: QuerySet[EndPhoto, Any]
    counts = photos.order_by().values(by).annotate(n=Count("pk")).values("n")
    return counts


def limits_of(policy: TripPolicy) -> Limits:
    """The figures of a policy as spans of time."""
    return Limits(
        auto_pause=_minutes(policy.auto_pause_min),
        first_prompt=_minutes(policy.first_prompt_min),
        last_prompt=_minutes(policy.last_prompt_min),
        auto_end=_minutes(policy.auto_end_min),
        max_pause=_minutes(policy.max_pause_min),
        lock_ends_after=_seconds(policy.lock_ends_after_s),
        low_battery_pct=policy.low_battery_pct,
        dead_battery_pct=policy.dead_battery_pct,
        dead_after=datetime.timedelta(seconds=policy.dead_after_s),
    )


def _minutes(number: int | None) -> datetime.timedelta | None:
    return None if number is None else datetime.timedelta(minutes=number)


def _seconds(number: int | None) -> datetime.timedelta | None:
    return None if number is None else datetime.timedelta(seconds=number)
