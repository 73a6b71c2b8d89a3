"""A fault becomes a ticket, one for one trouble, until the charger is well again or somebody saw to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client

from charging.stations.facts import BootReport, Closing, StatusReport
from charging.stations.models import ChargingStation
from charging.stations.services import (
    close_connections,
    record_boots,
    record_statuses,
    touch_stations,
)
from charging.tickets import privacy, services, tasks
from charging.tickets.models import StationTicket
from mobility.accounts.models import User
from mobility.core.models import AuditEntry, OutboxEvent
from mobility.core.transitions import IllegalMove
from tests.charging.fixtures import NOON, MakeStation

MINUTE = timedelta(minutes=1)


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    station = make_station("CP1", connectors=2, online=True)
    record_boots(boots=[BootReport(station_id=station.pk, vendor="V", model="M")], at=NOON)
    return station


def say(
    station: ChargingStation, word: str, minutes: int, *, evse: int = 1, code: str = ""
) -> None:
    """A connector (0: the station) tells its status."""
    at = NOON + minutes * MINUTE
    report = StatusReport(
        station_id=station.pk, evse_number=evse, status=word, at=at, error_code=code
    )
    with transaction.atomic():
        record_statuses(reports=[report], at=at)
    touch_stations(seen={station.pk: at}, at=at)


def sync(minutes: int, station: ChargingStation | None = None) -> dict[str, int]:
    at = NOON + minutes * MINUTE
    if station is not None:
        touch_stations(seen={station.pk: at}, at=at)
    return services.sync_tickets(at=at)


@pytest.mark.django_db
def test_a_fault_opens_a_ticket_at_once_and_once(
    station: ChargingStation, relay: Callable[[], int]
) -> None:
    say(station, "Faulted", 1, code="GroundFailure")
    # Delivered months later, when the station is silent as well: that is a ticket of its own.
    relay()
    ticket = StationTicket.objects.get(kind="fault")
    assert (ticket.state, ticket.kind, ticket.error_code) == ("open", "fault", "GroundFailure")
    assert ticket.connector.evse.number == 1
    assert sync(2, station) == {"opened": 0, "closed": 0}
    told = OutboxEvent.objects.get(
        name="charging.ticket_opened.v1", payload__ticket_id=str(ticket.public_id)
    ).payload
    assert (told["station_identity"], told["evse_number"]) == ("CP1", 1)


@pytest.mark.django_db
def test_one_that_recovers_and_fails_again_is_the_same_trouble(station: ChargingStation) -> None:
    for minutes, word in ((1, "Faulted"), (2, "Available"), (8, "Faulted"), (9, "Available")):
        say(station, word, minutes, code="OverVoltage" if word == "Faulted" else "")
        sync(minutes)
    ticket = StationTicket.objects.get()
    assert (ticket.state, ticket.times, ticket.recovered_at) == ("open", 2, NOON + 9 * MINUTE)
    assert sync(18, station) == {"opened": 0, "closed": 0}
    assert sync(19, station) == {"opened": 0, "closed": 1}
    ticket.refresh_from_db()
    assert (ticket.state, ticket.outcome) == ("closed", "recovered")
    say(station, "Faulted", 30)
    assert sync(30, station)["opened"] == 1


@pytest.mark.django_db
def test_what_somebody_took_is_theirs_to_close(station: ChargingStation, luca: User) -> None:
    say(station, "Faulted", 1)
    sync(1)
    ticket = StationTicket.objects.get()
    services.take_ticket(ticket_id=ticket.pk, person=luca, at=NOON + 2 * MINUTE)
    with pytest.raises(services.StillWrong):
        services.close_ticket(
            ticket_id=ticket.pk, outcome="repaired", at=NOON + 3 * MINUTE, by=luca.principal
        )
    say(station, "Available", 4)
    sync(4)
    assert sync(60, station)["closed"] == 0
    services.close_ticket(
        ticket_id=ticket.pk,
        outcome="repaired",
        note=" new fuse ",
        at=NOON + 61 * MINUTE,
        by=luca.principal,
    )
    ticket.refresh_from_db()
    assert (ticket.outcome, ticket.note, ticket.taken_by) == ("repaired", "new fuse", luca)
    with pytest.raises(IllegalMove):
        services.take_ticket(ticket_id=ticket.pk, person=luca, at=NOON + 62 * MINUTE)
    moves = AuditEntry.objects.filter(action__startswith="state:", by=luca.principal)
    assert moves.count() == 2


@pytest.mark.django_db
def test_a_station_that_falls_silent_is_a_ticket_and_a_new_one_is_not(
    station: ChargingStation, make_station: MakeStation
) -> None:
    make_station("NEVER")
    assert sync(14)["opened"] == 0
    close_connections(
        closings=[Closing(station_id=station.pk, epoch=station.connection_epoch)],
        at=NOON + MINUTE,
    )
    assert sync(16)["opened"] == 1
    ticket = StationTicket.objects.get()
    assert (ticket.kind, ticket.connector, ticket.station) == ("offline", None, station)


@pytest.mark.django_db
def test_the_whole_station_may_be_broken(station: ChargingStation) -> None:
    say(station, "Faulted", 1, evse=0, code="InternalError")
    sync(1)
    assert StationTicket.objects.get().connector is None
    assert tasks.sync()["opened"] >= 0


@pytest.mark.django_db(transaction=True)
def test_two_who_look_at_once_open_one(station: ChargingStation) -> None:
    say(station, "Faulted", 1)
    barrier = threading.Barrier(4)

    def look() -> None:
        barrier.wait()
        services.sync_tickets(at=NOON + MINUTE)
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert StationTicket.objects.count() == 1


@pytest.mark.django_db
def test_luca_sees_to_it_on_the_station_s_page(
    station: ChargingStation, luca: User, scossa: User
) -> None:
    say(station, "Faulted", 1, code="GroundFailure")
    services.sync_tickets(at=NOON + MINUTE, station_ids=[station.pk])
    ticket = StationTicket.objects.get(kind="fault")
    page = f"/admin/charging/chargingstation/{station.pk}/"
    desk, foreign = Client(), Client()
    desk.force_login(luca)
    foreign.force_login(scossa)
    assert b"GroundFailure" in desk.get(f"{page}change/").content
    deed = {"deed": f"take:{ticket.public_id}"}
    assert foreign.post(f"{page}ticket/", deed).status_code == 404
    assert desk.post(f"{page}ticket/", deed).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.state, ticket.taken_by) == ("in_work", luca)
    desk.post(f"{page}ticket/", {"deed": f"no_fault:{ticket.public_id}"})
    ticket.refresh_from_db()
    assert ticket.state == "in_work"
    say(station, "Available", 2)
    desk.post(f"{page}ticket/", {"deed": f"no_fault:{ticket.public_id}", "note": "looked at it"})
    ticket.refresh_from_db()
    assert (ticket.outcome, ticket.note) == ("no_fault", "looked at it")
    assert desk.post(f"{page}ticket/", {"deed": "take:nothing"}).status_code == 404
    assert desk.post(f"{page}ticket/", {"deed": f"burn:{ticket.public_id}"}).status_code == 302


@pytest.mark.django_db
def test_many_are_seen_to_on_the_list(station: ChargingStation, luca: User) -> None:
    for evse in (1, 2):
        say(station, "Faulted", 1, evse=evse)
    services.sync_tickets(at=NOON + MINUTE, station_ids=[station.pk])
    desk = Client()
    desk.force_login(luca)
    faults = StationTicket.objects.filter(kind="fault")
    chosen = {"_selected_action": list(faults.values_list("pk", flat=True))}
    for action, state in (("take", "in_work"), ("leave", "open"), ("repaired", "open")):
        desk.post("/admin/charging/stationticket/", {"action": action, **chosen})
        assert set(faults.values_list("state", flat=True)) == {state}
    for evse in (1, 2):
        say(station, "Available", 3, evse=evse)
    desk.post("/admin/charging/stationticket/", {"action": "repaired", **chosen})
    assert set(faults.values_list("state", "outcome")) == {("closed", "repaired")}


@pytest.mark.django_db
def test_who_saw_to_it_is_told_and_forgotten(station: ChargingStation, luca: User) -> None:
    say(station, "Faulted", 1)
    sync(1)
    ticket = StationTicket.objects.get()
    services.take_ticket(ticket_id=ticket.pk, person=luca, at=NOON + MINUTE)
    [told] = privacy.export(user=luca)
    assert (told["station__identity"], told["state"]) == ("CP1", "in_work")
    privacy.erase(user=luca, nobody=luca, at=NOON, by=luca.principal)
    ticket.refresh_from_db()
    assert (ticket.taken_by, ticket.state) == (None, "in_work")
