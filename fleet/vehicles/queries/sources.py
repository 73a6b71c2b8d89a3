"""What vehicles themselves know for the timeline, one function for each kind of thing.

A thing that begins and ends stands in the list twice: when it began, and when it ended.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from fleet.vehicles.models import (
    BatteryPlacement,
    ServiceTrip,
    VehicleBlock,
    VehicleCase,
    VehicleCommand,
    VehicleDocument,
    VehicleEvent,
    VehicleHold,
)
from fleet.vehicles.queries.timeline import TimelineEntry, TimelineSource
from mobility.core.clock import CITY_ZONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

Until = datetime.datetime | None


def states(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Changes of the state, with the public state and events derived from them."""
    rows = _before(VehicleEvent.objects.filter(vehicle=vehicle_id), "at", until)
    return [_state(event) for event in rows.order_by("-at", "-id")[:limit]]


def commands(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Orders to the vehicle and how far they came."""
    rows = _before(VehicleCommand.objects.filter(vehicle=vehicle_id), "created_at", until)
    return [_command(command) for command in rows.order_by("-created_at")[:limit]]


def holds(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Who took the vehicle."""
    rows = _before(VehicleHold.objects.filter(vehicle=vehicle_id), "during__startswith", until)
    return [
        TimelineEntry(
            at=hold.during.lower,
            what="hold",
            by=hold.holder_ref,
            details={
                "purpose": hold.purpose,
                "holder": hold.holder_ref,
                "until": hold.until,
                "released_at": hold.released_at,
            },
        )
        for hold in rows.order_by("-id")[:limit]
    ]


def blocks(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Blocks when they were placed."""
    rows = _before(VehicleBlock.objects.filter(vehicle=vehicle_id), "since", until)
    return [
        TimelineEntry(
            at=block.since, what="block", by=block.placed_by, details={"reason": block.reason}
        )
        for block in rows.order_by("-since", "-id")[:limit]
    ]


def lifted_blocks(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Blocks when they were lifted: apart, because they end in another order than they began."""
    ended = VehicleBlock.objects.filter(vehicle=vehicle_id, until__isnull=False)
    rows = _before(ended, "until", until).order_by("-until", "-id")[:limit]
    return _ends(
        ((row.until, "block_lifted", row.lifted_by, {"reason": row.reason}) for row in rows),
        until,
    )


def documents(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Papers from the day they are good, told at its midnight."""
    rows = VehicleDocument.objects.filter(vehicle=vehicle_id)
    if until is not None:
        rows = rows.filter(valid_from__lte=until.astimezone(CITY_ZONE).date())
    return _ends(
        (
            (
                _midnight(paper.valid_from),
                "document",
                "",
                {"kind": paper.kind, "number": paper.number, "expires_on": paper.expires_on},
            )
            for paper in rows.order_by("-valid_from", "-id")[:limit]
        ),
        until,
    )


def batteries(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Batteries that were put in."""
    put_in = BatteryPlacement.objects.filter(vehicle=vehicle_id).select_related("battery")
    rows = _before(put_in, "during__startswith", until)
    return [
        TimelineEntry(
            at=placement.during.lower,
            what="battery",
            by=placement.placed_by,
            details={
                "serial": placement.battery.serial,
                "slot": placement.slot,
                "until": placement.during.upper,
            },
        )
        for placement in rows.order_by("-id")[:limit]
    ]


def cases(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Cases when they were opened, and when they were closed."""
    rows = _before(VehicleCase.objects.filter(vehicle=vehicle_id), "opened_at", until)
    return _ends(
        (
            pair
            for case in rows.order_by("-opened_at")[:limit]
            for pair in (
                (case.opened_at, "case", case.opened_by, _case(case)),
                (
                    case.closed_at,
                    "case_closed",
                    case.closed_by,
                    {**_case(case), "outcome": case.outcome},
                ),
            )
        ),
        until,
    )


def service_trips(*, vehicle_id: int, until: Until, limit: int) -> list[TimelineEntry]:
    """Drives of staff when they began, and when they ended."""
    rows = _before(ServiceTrip.objects.filter(vehicle=vehicle_id), "started_at", until)
    return _ends(
        (
            pair
            for trip in rows.order_by("-started_at")[:limit]
            for pair in (
                (trip.started_at, "service_trip", trip.started_by, _service_trip(trip)),
                (
                    trip.ended_at,
                    "service_trip_ended",
                    trip.ended_by,
                    {**_service_trip(trip), "distance_m": trip.distance_m},
                ),
            )
        ),
        until,
    )


STANDARD_SOURCES: tuple[TimelineSource, ...] = (
    states,
    commands,
    holds,
    blocks,
    lifted_blocks,
    documents,
    batteries,
    cases,
    service_trips,
)


def _before(rows: QuerySet[Any], field: str, until: Until) -> QuerySet[Any]:
    return rows if until is None else rows.filter(**{f"{field}__lt": until})


def _ends(
    pairs: Iterable[tuple[Until, str, str, dict[str, Any]]], until: Until
) -> list[TimelineEntry]:
    """Entries of those moments that have come, and that lie before `until`."""
    return [
        TimelineEntry(at=at, what=what, by=by, details=details)
        for at, what, by, details in pairs
        if at is not None and (until is None or at < until)
    ]


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), tzinfo=CITY_ZONE)


def _state(event: VehicleEvent) -> TimelineEntry:
    details = {
        "state": event.mds_state,
        "events": event.mds_events,
        "life_state": event.life_state,
        "rental_state": event.rental_state,
        "link_state": event.link_state,
        "blocks": event.blocks,
        "outside": event.outside,
        "lat": event.lat,
        "lon": event.lon,
        "battery_pct": event.battery_pct,
        "trip": event.trip_ref,
    }
    return TimelineEntry(at=event.at, what="state", by=event.by, details=details)


def _command(command: VehicleCommand) -> TimelineEntry:
    details = {
        "id": str(command.public_id),
        "sequence": command.sequence,
        "kind": command.kind,
        "parameters": command.parameters,
        "state": command.state,
        "purpose": command.purpose_ref,
        "finished_at": command.finished_at,
    }
    return TimelineEntry(
        at=command.created_at,
        what="command",
        by=command.requested_by,
        details=details,
    )


def _case(case: VehicleCase) -> dict[str, Any]:
    return {"id": str(case.public_id), "kind": case.kind, "reference": case.reference}


def _service_trip(trip: ServiceTrip) -> dict[str, Any]:
    return {"id": str(trip.public_id), "reason": trip.reason, "ticket": trip.ticket_ref}
