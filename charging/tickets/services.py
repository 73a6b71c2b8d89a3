"""Tickets open and close by what chargers say of themselves; people take them and close them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from charging.stations.models import ChargingStation, Connector
from charging.stations.states import ConnectorStatus, Registration
from charging.tickets.events import TicketClosed, TicketOpened
from charging.tickets.models import StationTicket
from charging.tickets.states import Outcome, TicketKind, TicketState
from mobility.accounts.models import User
from mobility.core import locks, outbox
from mobility.core.errors import Conflict
from mobility.core.principals import Principal, system_principal
from mobility.core.transitions import move, move_many

KEEPER: Final = system_principal("tickets")
# A radio cell that is renewed at night is nobody's errand; three heartbeats are less than this.
SILENT: Final = timedelta(minutes=15)
# One that recovers and fails again within so long is still the same trouble.
CALM: Final = timedelta(minutes=10)

_Key = tuple[int, int | None, str]


class StillWrong(Conflict):
    """The charger itself says that it is not over."""

    code = "ticket_still_wrong"
    message = _("The charger still reports this. Repair it or put it out of service first.")


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Something that is wrong now, as the hardware says."""

    error_code: str = ""
    info: str = ""


@transaction.atomic
def sync_tickets(*, at: datetime, station_ids: Iterable[int] | None = None) -> dict[str, int]:
    """Bring tickets to what stations say of themselves; returns how many were opened and closed.

    1. A connector or station that says it is faulted, and a station that was connected once and is
       silent for a quarter of an hour, has a ticket; one that has one already says so once more.
    2. Where it is well again that is noted. A ticket that nobody took closes by itself ten minutes
       later; one that somebody took is theirs to close.

    For the stations named, or for all. Repeating it changes nothing.
    """
    locks.advisory("charging-tickets")
    places = None if station_ids is None else set(station_ids)
    wrong = _wrong_now(places, at=at)
    rows = StationTicket.objects.unclosed().select_related("station")
    known = {
        (row.station_id, row.connector_id, row.kind): row
        for row in (rows if places is None else rows.filter(station__in=places))
    }
    opened = _open({key: one for key, one in wrong.items() if key not in known}, at=at)
    _note_again({key: row for key, row in known.items() if key in wrong}, wrong, at=at)
    closed = _close_calm([row for key, row in known.items() if key not in wrong], at=at)
    return {"opened": opened, "closed": closed}


@transaction.atomic
def take_ticket(*, ticket_id: int, person: User, at: datetime) -> StationTicket:
    """Somebody sees to it; who takes it over from another does so here too.

    Raises IllegalMove where it is closed.
    """
    ticket = _locked(ticket_id)
    if ticket.state == TicketState.IN_WORK:
        ticket.taken_by, ticket.taken_at = person, at
        ticket.save(update_fields=["taken_by", "taken_at"])
        return ticket
    return move(
        ticket,
        to=TicketState.IN_WORK,
        at=at,
        by=person.principal,
        taken_by=person,
        taken_at=at,
    )


@transaction.atomic
def leave_ticket(*, ticket_id: int, at: datetime, by: Principal) -> StationTicket:
    """Nobody sees to it any more. Raises IllegalMove where nobody did."""
    ticket = _locked(ticket_id)
    return move(ticket, to=TicketState.OPEN, at=at, by=by, taken_by=None, taken_at=None)


@transaction.atomic
def close_ticket(
    *, ticket_id: int, outcome: str, at: datetime, by: Principal, note: str = ""
) -> StationTicket:
    """It is over, and how. Raises StillWrong where the charger says otherwise, IllegalMove."""
    ticket = _locked(ticket_id)
    if (ticket.station_id, ticket.connector_id, ticket.kind) in _wrong_now(
        {ticket.station_id}, at=at
    ):
        raise StillWrong
    move(
        ticket,
        to=TicketState.CLOSED,
        at=at,
        by=by,
        reason=outcome,
        closed_at=at,
        outcome=Outcome(outcome),
        note=note.strip()[:500],
    )
    outbox.publish(_closed(ticket, at=at), at=at)
    return ticket


def _locked(ticket_id: int) -> StationTicket:
    rows = StationTicket.objects.select_related("station").select_for_update(of=("self",))
    return rows.get(pk=ticket_id)


def _wrong_now(places: set[int] | None, *, at: datetime) -> dict[_Key, _Wrong]:
    """What is wrong with stations that we serve; three queries."""
    stations = ChargingStation.objects.filter(registration=Registration.ACCEPTED)
    if places is not None:
        stations = stations.filter(pk__in=places)
    connectors = Connector.objects.filter(
        evse__station__in=stations, status=ConnectorStatus.FAULTED
    ).values_list("evse__station_id", "pk", "error_code", "status_info")
    broken = stations.filter(status=ConnectorStatus.FAULTED).values_list("pk", "error_code")
    silent = stations.filter(last_seen_at__lt=at - SILENT).exclude(booted_at=None)
    return {
        **{
            (station_id, pk, TicketKind.FAULT.value): _Wrong(error_code, info)
            for station_id, pk, error_code, info in connectors
        },
        **{(pk, None, TicketKind.FAULT.value): _Wrong(code) for pk, code in broken},
        **{
            (station.pk, None, TicketKind.OFFLINE.value): _Wrong()
            for station in silent
            if not station.is_online(at=at)
        },
    }


def _open(wrong: dict[_Key, _Wrong], *, at: datetime) -> int:
    rows = [
        StationTicket(
            station_id=station_id,
            connector_id=connector_id,
            kind=kind,
            error_code=one.error_code,
            info=one.info,
            opened_at=at,
            told_at=at,
        )
        for (station_id, connector_id, kind), one in wrong.items()
    ]
    StationTicket.objects.bulk_create(rows)
    fresh = StationTicket.objects.filter(pk__in=[row.pk for row in rows])
    outbox.publish(
        *[_opened(row) for row in fresh.select_related("station", "connector__evse")], at=at
    )
    return len(rows)


def _note_again(
    known: dict[_Key, StationTicket], wrong: dict[_Key, _Wrong], *, at: datetime
) -> None:
    """It is wrong again, or wrong in another way."""
    for key, row in known.items():
        one = wrong[key]
        rows = StationTicket.objects.filter(pk=row.pk)
        if row.recovered_at is not None:
            rows.update(recovered_at=None, told_at=at, times=F("times") + 1)
        if (row.error_code, row.info) != (one.error_code, one.info):
            rows.update(error_code=one.error_code, info=one.info, told_at=at)


def _close_calm(well: Iterable[StationTicket], *, at: datetime) -> int:
    """Note what is well again; close what has been for a while and nobody took."""
    calm = []
    for row in well:
        if row.recovered_at is None:
            StationTicket.objects.filter(pk=row.pk).update(recovered_at=at)
        elif row.state == TicketState.OPEN and at - row.recovered_at >= CALM:
            calm.append(row)
    outcome = Outcome.RECOVERED.value
    over = move_many(
        calm, to=TicketState.CLOSED, at=at, by=KEEPER, reason=outcome, outcome=outcome, closed_at=at
    )
    outbox.publish(*[_closed(row, at=at) for row in over], at=at)
    return len(over)


def _opened(ticket: StationTicket) -> TicketOpened:
    return TicketOpened(
        ticket_id=str(ticket.public_id),
        station_identity=ticket.station.identity,
        evse_number=ticket.connector.evse.number if ticket.connector else None,
        kind=ticket.kind,
        error_code=ticket.error_code,
        opened_at=ticket.opened_at,
    )


def _closed(ticket: StationTicket, *, at: datetime) -> TicketClosed:
    return TicketClosed(
        ticket_id=str(ticket.public_id),
        station_identity=ticket.station.identity,
        kind=ticket.kind,
        outcome=ticket.outcome,
        times=ticket.times,
        closed_at=at,
    )
