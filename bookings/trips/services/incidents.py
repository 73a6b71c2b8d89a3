"""Outages: while an operator's vehicles cannot be heard, nobody pays for not being able to end.

DomainError
└── Conflict  IncidentOpenAlready
"""

import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils.translation import gettext_lazy as _
from psycopg.errors import UniqueViolation

from bookings.trips import rules
from bookings.trips.events import IncidentClosed, IncidentOpened
from bookings.trips.models import Incident, Trip, TripPolicy
from bookings.trips.queries import all_policies
from bookings.trips.services.corrections import apply_correction, propose_correction
from bookings.trips.services.end import outage_ending
from bookings.trips.services.orders import KEEPER
from bookings.trips.services.stop import begin_ending
from bookings.trips.states import PRICED, RIDING, EndReason, TripFlag, Waiver
from fleet.vehicles.models import Vehicle
from fleet.vehicles.states import LifeState, LinkState
from mobility.core import audit, outbox
from mobility.core.errors import Conflict, DomainError
from mobility.core.principals import Principal

log = structlog.get_logger(__name__)

LIMIT = 1_000


class IncidentOpenAlready(Conflict):
    """The operator has an outage already; it lasts until it is closed."""

    code = "incident_open_already"
    message = _("There is an outage already. Close it first.")


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

    Raises `IncidentOpenAlready`; the database decides when two declare one at once.
    """
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

    One that resists is told in the log and does not stop the others.
    """
    tried = Trip.objects.with_story().filter(
        organisation=incident.organisation_id, first_attempt_at__gte=incident.since
    )
    riding = list(tried.filter(state__in=RIDING)[:LIMIT])
    paid = list(
        tried.filter(state__in=PRICED, first_attempt_at__lt=F("ended_at"), incident=None)
        .exclude(end_reason__in=[EndReason.OUTAGE, EndReason.BROKEN])
        .exclude(flags__contains=[TripFlag.CORRECTED])[:LIMIT]
    )
    healed = sum(_heal(trip, incident, at=at) for trip in riding)
    return healed + sum(_give_back(trip, incident, at=at) for trip in paid)


def watch_fleets(*, at: datetime.datetime) -> dict[str, int]:
    """Notice outages by the share of silent vehicles, and their end; returns how many of each.

    Judged by operator and kind of vehicle (`rules.is_outage`); two queries.
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
            opened += _open_by_itself(key[0], at=at)
            open_now = _open_incidents()
    ended = [row for org, row in open_now.items() if row.automatic and calm.get(org, True)]
    for incident in ended:
        close_incident(incident=incident, at=at, by=KEEPER)
    return {"opened": opened, "closed": len(ended)}


def _open_by_itself(organisation_id: int, *, at: datetime.datetime) -> int:
    try:
        open_incident(
            organisation_id=organisation_id, reason="silent_fleet", at=at, by=KEEPER, automatic=True
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


def _heal(trip: Trip, incident: Incident, *, at: datetime.datetime) -> bool:
    how = outage_ending(trip, incident_id=incident.pk, since=incident.since, at=at)
    try:
        with transaction.atomic():
            begin_ending(trip, how, at=at, by=KEEPER)
    except DomainError as problem:
        log.warning("bookings.trip_not_healed", trip=str(trip.public_id), code=problem.code)
        return False
    return True


def _give_back(trip: Trip, incident: Incident, *, at: datetime.datetime) -> bool:
    try:
        with transaction.atomic():
            version = propose_correction(
                trip=trip,
                reason="outage",
                ended_at=trip.first_attempt_at,
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
