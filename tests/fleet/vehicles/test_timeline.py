"""One list of what happened to a vehicle, whoever knows of it."""

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import translation
from rest_framework.test import APIClient

from fleet.vehicles import queries, services, telling
from fleet.vehicles.models import Battery, Vehicle
from fleet.vehicles.queries import TimelineEntry, add_timeline_source
from fleet.vehicles.queries.timeline import forget_source, sources
from mobility.accounts.models import Organisation, User
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import AT, NOW, after, change_type
from tests.fleet.vehicles.test_staff import LIST, desk


@pytest.fixture
def eventful(make_vehicle: MakeVehicle, ruote: Organisation) -> Vehicle:
    """A scooter with one of everything, an hour apart each."""
    scooter = make_vehicle("scooter", code="LIFE1")
    change_type(scooter, swappable=True)
    battery = Battery.objects.create(organisation=ruote, serial="B7", capacity_wh=550)
    services.save_document(
        vehicle_id=scooter.pk,
        kind="insurance",
        number="P1",
        valid_from=datetime.date(2026, 5, 1),
        expires_on=None,
        **NOW,
    )
    services.place_battery(battery_id=battery.pk, vehicle_id=scooter.pk, **after(hours=1))
    services.block_vehicle(vehicle_id=scooter.pk, reason="damage", **after(hours=2))
    trip = services.start_service_trip(vehicle_id=scooter.pk, reason="repair", **after(hours=3))
    services.end_service_trip(service_trip_id=trip.pk, **after(hours=4))
    services.lift_block(vehicle_id=scooter.pk, reason="damage", **after(hours=5))
    services.open_case(vehicle_id=scooter.pk, kind="missing", **after(hours=6))
    services.set_life_state(vehicle_id=scooter.pk, to="in_service", **after(hours=7))
    return scooter


TOLD = [
    "case_closed",
    "state",
    "case",
    "state",
    "block_lifted",
    "state",
    "service_trip_ended",
    "command",
    "state",
    "service_trip",
    "command",
    "hold",
    "state",
    "block",
    "state",
    "battery",
    "document",
]


def test_everything_stands_in_one_list_newest_first(eventful: Vehicle) -> None:
    entries = queries.timeline(vehicle_id=eventful.pk)
    assert [entry.at for entry in entries] == sorted((e.at for e in entries), reverse=True)
    assert sorted(entry.what for entry in entries if entry.what != "state") == sorted(
        what for what in TOLD if what != "state"
    )
    assert len(entries) >= len(TOLD)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_paging_backwards_tells_everything_once(eventful: Vehicle, size: int) -> None:
    whole = queries.timeline(vehicle_id=eventful.pk, limit=200)
    paged: list[TimelineEntry] = []
    while page := queries.timeline(
        vehicle_id=eventful.pk, until=paged[-1].at if paged else None, limit=size
    ):
        paged += page
    assert paged == whole


def test_the_limit_takes_the_newest_of_all_kinds(eventful: Vehicle) -> None:
    newest = queries.timeline(vehicle_id=eventful.pk, limit=2)
    assert {entry.at for entry in newest} == {AT + datetime.timedelta(hours=7)}


def test_the_list_costs_the_same_for_a_long_life(
    eventful: Vehicle, django_assert_num_queries: Any
) -> None:
    count = len(sources())
    for hours in (10, 20, 30):
        for reason in ("damage", "maintenance"):
            services.block_vehicle(vehicle_id=eventful.pk, reason=reason, **after(hours=hours))
            services.lift_block(vehicle_id=eventful.pk, reason=reason, **after(hours=hours + 1))
        with django_assert_num_queries(count):
            queries.timeline(vehicle_id=eventful.pk)


@pytest.fixture
def alarms() -> Iterator[None]:
    """A room above that has something to tell."""

    def told(
        *, vehicle_id: int, until: datetime.datetime | None, limit: int
    ) -> list[TimelineEntry]:
        alarm = TimelineEntry(
            at=AT + datetime.timedelta(days=9), what="alarm", by="x", details={"kind": "tilt"}
        )
        return [] if until is not None and until <= alarm.at else [alarm]

    before = sources()
    add_timeline_source(told)
    add_timeline_source(told)
    yield
    forget_source(told)
    assert sources() == before


@pytest.mark.usefixtures("alarms")
def test_rooms_above_add_what_they_know(eventful: Vehicle) -> None:
    entries = queries.timeline(vehicle_id=eventful.pk)
    assert [entry.what for entry in entries].count("alarm") == 1
    assert entries[0].what == "alarm"


def test_marco_pages_through_it_over_the_api_and_finds_it_from_the_admin(
    api: Callable[[User | None], APIClient], eventful: Vehicle, marco: User
) -> None:
    url = f"/api/v1/fleet/vehicles/{eventful.public_id}/timeline"
    until = (AT + datetime.timedelta(hours=2)).isoformat()
    entries = api(marco).get(url, {"until": until}).json()["results"]
    assert [entry["what"] for entry in entries] == ["battery", "document"]
    assert entries[0]["details"]["serial"] == "B7"
    assert api(marco).get(url, {"limit": 0}).status_code == 400
    page = desk(marco).get(f"{LIST}{eventful.pk}/change/").content.decode()
    assert f'href="/admin/vehicle/{eventful.public_id}/"' in page


def test_a_vehicle_whose_code_fits_in_no_address_is_found_from_the_admin_too(
    eventful: Vehicle, marco: User
) -> None:
    Vehicle.objects.filter(pk=eventful.pk).update(code="eb 12/a")
    page = desk(marco).get(f"{LIST}{eventful.pk}/change/")
    assert page.status_code == 200
    assert desk(marco).get(f"/admin/vehicle/{eventful.public_id}/").status_code == 200


def test_every_entry_is_told_in_words(eventful: Vehicle) -> None:
    """No codes for people: on the vehicle's page."""
    with translation.override("en"):
        entries = queries.timeline(vehicle_id=eventful.pk)
        told = {entry.what: (telling.title_of(entry), telling.words_of(entry)) for entry in entries}
    assert told["document"] == ("Paper", "Insurance · P1")
    assert told["battery"] == ("Battery put in", "B7")
    assert told["case"][0] == "Case opened"
    assert told["case"][1].startswith("Missing")
    assert told["service_trip"] == ("Service trip", "Taken to repair")
    assert told["command"][1].startswith(("Unlock", "Lock"))
    assert all(title != what for what, (title, _words) in told.items())
    codes = [word for _title, words in told.values() for word in words.split() if "_" in word]
    assert codes == []
