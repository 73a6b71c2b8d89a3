"""Outages: while an operator's vehicles cannot be heard, nobody pays for not being able to end.

DomainError
├── Conflict  IncidentOpenAlready
└── Invalid   IncidentTooLongAgo
"""

import datetime
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.trips import rules
from bookings.trips.events import IncidentClosed, IncidentOpened
from bookings.trips.models import Incident, Trip, TripPolicy
from bookings.trips.queries import all_policies
from bookings.trips.services.corrections import apply_correction, propose_correction
from bookings.trips.services.end import attempts, outage_ending
from bookings.trips.services.orders import KEEPER
from bookings.trips.services.stop import begin_ending
from bookings.trips.states import PRICED, RIDING, EndReason, TripFlag, Waiver
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import LifeState, LinkState
from mobility.core import audit, outbox
from mobility.core.errors import Conflict, DomainError, Invalid
from mobility.core.principals import Principal

log = structlog.get_logger(__name__)

BATCH = 200
# So far back an outage is declared; what was before that is for disputes, with their four eyes.
BACK_AT_MOST = datetime.timedelta(hours=24)
# So long after an outage those are looked for whose rides were just ending.
LOOK_AFTER = datetime.timedelta(hours=1)


class IncidentOpenAlready(Conflict):
    """The operator has an outage already; it lasts until it is closed."""

    code = "incident_open_already"
    message = _("There is an outage already. Close it first.")


class IncidentTooLongAgo(Invalid):
    """Giving back for days needs somebody to look at each trip."""

    code = "incident_too_long_ago"
    message = _("An outage can be declared from at most %(hours)d hours ago.")


def open_incident(
    *,
    organisation_id: int,
    reason: str,
    at: datetime.datetime,
    by: Principal,
    since: datetime.datetime | None = None,
    automatic: bool = False,
) -> Incident:
    """Declare an outage from `since` on, and put right what happened in it so far.

    Whoever declares it gets nothing by it: their own ride ends as on any other day. Raises
    `IncidentOpenAlready` (the database decides when two declare one at once), `IncidentTooLongAgo`.
    """
    if since is not None and at - since > BACK_AT_MOST:
        raise IncidentTooLongAgo(hours=BACK_AT_MOST // datetime.timedelta(hours=1))
    try:
        with transaction.atomic():
            incident = Incident.objects.create(
                organisation_id=organisation_id,
                since=min(since or at, at),
                reason=reason,
                automatic=automatic,
                opened_by=by,
            )
            audit.record(by=by, action="incident:opened", row=incident, at=at)
            outbox.publish(
                IncidentOpened(
                    incident_id=str(incident.public_id),
                    organisation_id=organisation_id,
                    since=incident.since,
                    automatic=automatic,
                ),
                at=at,
            )
    except IntegrityError as problem:
        if isinstance(problem.__cause__, UniqueViolation):
            raise IncidentOpenAlready from problem
        raise
    heal_incident(incident=incident, at=at)
    return incident


def close_incident(*, incident: Incident, at: datetime.datetime, by: Principal) -> Incident:
    """The vehicles are heard again; closing twice is closing once."""
    with transaction.atomic():
        closed = Incident.objects.open().filter(pk=incident.pk).update(until=at, closed_by=by)
        incident.refresh_from_db()
        if closed:
            audit.record(by=by, action="incident:closed", row=incident, at=at)
            outbox.publish(
                IncidentClosed(
                    incident_id=str(incident.public_id),
                    organisation_id=incident.organisation_id,
                    until=at,
                ),
                at=at,
            )
    return incident


def heal_incident(*, incident: Incident, at: datetime.datetime) -> int:
    """Give every rider who tried to end in the outage their first attempt back; returns how many.

    1. Whoever still rides and has tried, ends now, with the meter at that attempt.
    2. Whoever has paid for longer gets a correction: the difference goes back by itself.

    Who was ending at that moment is found the next time. One that resists is told in the log and
    does not stop the others.
    """
    healed = 0
    for trip in _tried_in(incident):
        first = rules.first_attempt(attempts(trip), since=incident.since, until=incident.until)
        if first is None or trip.user.principal == incident.opened_by:
            continue
        if trip.state in RIDING:
            healed += _heal(trip, incident, at=at)
        elif trip.ended_at is not None and first < trip.ended_at:
            healed += _give_back(trip, incident, first=first, at=at)
    return healed


def watch_fleets(*, at: datetime.datetime) -> dict[str, int]:
    """Notice outages by the share of silent vehicles, and their end; returns how many of each.

    Judged by operator and kind of vehicle (`rules.is_outage`), and dated back to the word after
    which too few were heard. Those that last, or are just over, are healed again. Three queries, and
    one for each outage.
    """
    policies, open_now = all_policies(), _open_incidents()
    calm: dict[int, bool] = {}
    opened = 0
    for row in _link_counts():
        key = (row["organisation"], row["type__kind"])
        policy = policies.get(key) or TripPolicy(organisation_id=key[0], kind=key[1])
        figures = rules.Silence(
            silent=row["silent"], vehicles=row["vehicles"], share_pct=policy.outage_share_pct
        )
        over = rules.is_over_outage(figures)
        calm[key[0]] = calm.get(key[0], True) and over
        if key[0] not in open_now and rules.is_outage(figures):
            since = _began(figures, organisation_id=key[0], kind=key[1], at=at)
            opened += _open_by_itself(key[0], since=since, at=at)
            open_now = _open_incidents()
    ended = [row for org, row in open_now.items() if row.automatic and calm.get(org, True)]
    for incident in ended:
        close_incident(incident=incident, at=at, by=KEEPER)
    for incident in Incident.objects.filter(Q(until=None) | Q(until__gt=at - LOOK_AFTER)):
        heal_incident(incident=incident, at=at)
    return {"opened": opened, "closed": len(ended)}


def _began(
    figures: rules.Silence, *, organisation_id: int, kind: str, at: datetime.datetime
) -> datetime.datetime:
    """Since when too few are heard; not within the outage before, nor too long ago."""
    silent = Vehicle.objects.filter(
        organisation=organisation_id, type__kind=kind, life_state=LifeState.IN_SERVICE
    ).exclude(link_state=LinkState.ONLINE)
    words = silent.filter(latest__isnull=False).values_list("latest__received_at", flat=True)
    since = rules.outage_since(figures, list(words), at=at)
    before = Incident.objects.filter(organisation=organisation_id).aggregate(last=Max("until"))
    return max(since, before["last"] or since, at - BACK_AT_MOST)


def _open_by_itself(
    organisation_id: int, *, since: datetime.datetime, at: datetime.datetime
) -> int:
    try:
        open_incident(
            organisation_id=organisation_id,
            reason="silent_fleet",
            since=since,
            at=at,
            by=KEEPER,
            automatic=True,
        )
    except IncidentOpenAlready:
        return 0
    return 1


def _open_incidents() -> dict[int, Incident]:
    return {row.organisation_id: row for row in Incident.objects.open()}


def _link_counts() -> list[dict[str, Any]]:
    silent = Count("pk", filter=~Q(link_state=LinkState.ONLINE))
    in_service = Vehicle.objects.filter(life_state=LifeState.IN_SERVICE).order_by()
    counted: Any = in_service.values("organisation", "type__kind").annotate(
        silent=silent, vehicles=Count("pk")
    )
    return list(counted.order_by("organisation", "type__kind"))


def _tried_in(incident: Incident) -> Iterator[Trip]:
    """Trips that ride, or were paid, and whose riders tried to end since the outage began."""
    tried = Trip.objects.filter(
        organisation=incident.organisation_id, first_attempt_at__isnull=False
    )
    paid = Q(state__in=PRICED, ended_at__gt=incident.since, incident=None) & ~Q(
        end_reason__in=[EndReason.OUTAGE, EndReason.BROKEN]
    )
    uncorrected = ~Q(flags__contains=[TripFlag.CORRECTED])
    wanted = tried.filter(Q(state__in=RIDING) | (paid & uncorrected))
    for pks in _batched(wanted.order_by("id").values_list("pk", flat=True)):
        yield from Trip.objects.with_story().filter(pk__in=pks).order_by("id")


def _batched(pks: Iterable[int]) -> Iterator[list[int]]:
    """So many at a time, however many there are."""
    rest = iter(pks)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _heal(trip: Trip, incident: Incident, *, at: datetime.datetime) -> bool:
    how = outage_ending(trip, incident_id=incident.pk, since=incident.since, at=at)
    try:
        with transaction.atomic():
            begin_ending(trip, how, at=at, by=KEEPER)
    except DomainError as problem:
        log.warning("bookings.trip_not_healed", trip=str(trip.public_id), code=problem.code)
        return False
    return True


def _give_back(
    trip: Trip, incident: Incident, *, first: datetime.datetime, at: datetime.datetime
) -> bool:
    try:
        with transaction.atomic():
            version = propose_correction(
                trip=trip,
                reason="outage",
                ended_at=first,
                waiver=Waiver.UNLOCK,
                at=at,
                by=KEEPER,
            )
            apply_correction(version=version, at=at, by=KEEPER)
            Trip.objects.filter(pk=trip.pk).update(incident=incident)
    except DomainError as problem:
        log.warning("bookings.trip_not_healed", trip=str(trip.public_id), code=problem.code)
        return False
    return True
