"""Papers of vehicles: who lacks one is not offered, and nobody has to remember it."""

import datetime
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from fleet.vehicles import queries, services
from fleet.vehicles.models import Vehicle, VehicleBlock, VehicleDocument
from fleet.vehicles.tasks import refresh_document_blocks
from mobility.accounts.models import User
from mobility.core import clock
from tests.fleet.fixtures import MakeVehicle
from tests.fleet.vehicles.acting import AT, NOW, blocks_of, change_type, last_event
from tests.fleet.vehicles.test_holds import race, wait_for_a_waiter

DAY = datetime.timedelta(days=1)
TODAY = clock.service_day(AT)


@pytest.fixture
def scooter(make_vehicle: MakeVehicle) -> Vehicle:
    """A scooter that needs a targhino and an insurance, and has neither."""
    vehicle = make_vehicle("scooter")
    change_type(vehicle, required_documents=["targhino", "insurance"])
    return vehicle


def paper(vehicle: Vehicle, kind: str, *, until: datetime.date | None, number: str = "1") -> Any:
    return services.save_document(
        vehicle_id=vehicle.pk,
        kind=kind,
        number=number,
        valid_from=TODAY - 300 * DAY,
        expires_on=until,
        **NOW,
    )


def refresh(at: datetime.datetime = AT) -> int:
    return services.refresh_document_blocks(at=at)


def test_a_vehicle_without_its_papers_is_blocked_and_freed_by_them(scooter: Vehicle) -> None:
    assert refresh() == 1
    assert blocks_of(scooter) == {"document_expired"}
    assert last_event(scooter).mds_events == ["system_suspend"]
    paper(scooter, "targhino", until=None)
    assert blocks_of(scooter) == {"document_expired"}
    paper(scooter, "insurance", until=TODAY + 90 * DAY)
    assert blocks_of(scooter) == set()
    assert last_event(scooter).mds_events == ["system_resume"]
    assert refresh() == 0


def test_papers_end_with_the_citys_day_not_with_that_of_utc(scooter: Vehicle) -> None:
    paper(scooter, "targhino", until=None)
    paper(scooter, "insurance", until=TODAY)
    last_minute = datetime.datetime(2026, 5, 4, 21, 59, tzinfo=datetime.UTC)
    refresh(last_minute)
    assert blocks_of(scooter) == set()
    refresh(last_minute + datetime.timedelta(minutes=1))
    assert blocks_of(scooter) == {"document_expired"}


def test_a_renewal_keeps_the_vehicle_on_the_street(scooter: Vehicle) -> None:
    paper(scooter, "targhino", until=None)
    paper(scooter, "insurance", until=TODAY)
    paper(scooter, "insurance", until=TODAY + 365 * DAY, number="2")
    refresh(AT + 2 * DAY)
    assert blocks_of(scooter) == set()


def test_a_paper_that_is_not_good_yet_does_not_count(scooter: Vehicle) -> None:
    paper(scooter, "targhino", until=None)
    services.save_document(
        vehicle_id=scooter.pk,
        kind="insurance",
        number="9",
        valid_from=TODAY + DAY,
        expires_on=None,
        **NOW,
    )
    assert blocks_of(scooter) == {"document_expired"}
    refresh(AT + DAY)
    assert blocks_of(scooter) == set()


def test_a_vehicle_that_needs_no_papers_is_left_alone(make_vehicle: MakeVehicle) -> None:
    make_vehicle("bicycle")
    assert refresh() == 0


def test_a_rider_on_the_way_keeps_the_vehicle_when_a_paper_ends(scooter: Vehicle) -> None:
    """The block stops the next rider, not this one."""
    paper(scooter, "targhino", until=None)
    paper(scooter, "insurance", until=TODAY)
    at = AT + 2 * DAY
    taken = services.hold_vehicle(
        vehicle_id=scooter.pk, until=at + DAY, purpose="ride", holder_ref="r:1", **{**NOW, "at": at}
    )
    refresh(at)
    services.mark_trip(hold_id=taken.pk, mark="starting", trip_ref="t", **{**NOW, "at": at})
    assert blocks_of(scooter) == {"document_expired"}


def test_looking_again_costs_one_query(scooter: Vehicle, django_assert_num_queries: Any) -> None:
    refresh()
    with django_assert_num_queries(1):
        refresh()


def test_beat_looks_at_every_hour(scooter: Vehicle) -> None:
    assert refresh_document_blocks() == 1
    assert blocks_of(scooter) == {"document_expired"}


def test_marco_sees_what_runs_out_within_thirty_days(
    scooter: Vehicle, make_vehicle: MakeVehicle
) -> None:
    paper(scooter, "insurance", until=TODAY + 30 * DAY)
    fine = make_vehicle("scooter")
    paper(fine, "targhino", until=None)
    paper(fine, "insurance", until=TODAY + 31 * DAY)
    due = documents_due(scooter)
    assert [(one.vehicle_code, one.kind, one.number) for one in due] == [
        (scooter.code, "targhino", None),
        (scooter.code, "insurance", "1"),
    ]
    assert queries.documents_due(organisation_ids=[], today=TODAY, last=TODAY) == []


def documents_due(vehicle: Vehicle) -> list[queries.DocumentDue]:
    return queries.documents_due(
        organisation_ids=[vehicle.organisation_id], today=TODAY, last=TODAY + 30 * DAY
    )


def test_a_renewal_counts_only_without_a_gap(scooter: Vehicle) -> None:
    """What begins next month does not make up for what is lacking today."""
    change_type(scooter, required_documents=["insurance"])

    def insured(first: int, last: int | None, number: str) -> None:
        VehicleDocument.objects.create(
            vehicle=scooter,
            kind="insurance",
            number=number,
            valid_from=TODAY + first * DAY,
            expires_on=None if last is None else TODAY + last * DAY,
        )

    def told() -> list[tuple[str | None, datetime.date | None]]:
        return [(one.number, one.expires_on) for one in documents_due(scooter)]

    insured(-400, -5, "old")
    insured(12, None, "next year's")
    assert told() == [(None, None)]
    insured(-5, 10, "bridge")
    assert told() == [("bridge", TODAY + 10 * DAY)]
    insured(11, 11, "the day between")
    assert told() == []


@pytest.mark.django_db(transaction=True)
def test_a_paper_handed_in_while_the_sweep_looks_counts(scooter: Vehicle) -> None:
    paper(scooter, "targhino", until=None)
    outcomes: list[object] = []
    sweep = threading.Thread(target=lambda: outcomes.extend(race(1, lambda _n: refresh())))
    VehicleBlock.objects.all().update(until=AT, lifted_by="x")
    with transaction.atomic():
        paper(scooter, "insurance", until=None)
        services.block_vehicle(vehicle_id=scooter.pk, reason="damage", **NOW)
        sweep.start()
        wait_for_a_waiter()
    sweep.join(timeout=20)
    assert outcomes == [0]
    assert blocks_of(scooter) == {"damage"}


@pytest.mark.django_db(transaction=True)
def test_the_sweep_meets_who_acts_on_the_same_vehicles(make_vehicle: MakeVehicle) -> None:
    """It frees the first and blocks the second; in two passes it would take the second first."""
    first, second = make_vehicle(), make_vehicle("car")
    services.block_vehicle(vehicle_id=first.pk, reason="document_expired", **NOW)
    change_type(second, required_documents=["insurance"])
    outcomes: list[object] = []
    sweep = threading.Thread(target=lambda: outcomes.extend(race(1, lambda _n: refresh())))
    with transaction.atomic():
        services.block_vehicle(vehicle_id=first.pk, reason="damage", **NOW)
        sweep.start()
        wait_for_a_waiter()
        services.block_vehicle(vehicle_id=second.pk, reason="damage", **NOW)
    sweep.join(timeout=20)
    assert outcomes == [2]


def test_a_paper_cannot_end_before_it_begins(scooter: Vehicle) -> None:
    with pytest.raises(IntegrityError, match="fleet_document_ends_after_it_began"):
        paper(scooter, "insurance", until=TODAY - 400 * DAY)


def test_papers_of_no_vehicle_are_refused(db: None) -> None:
    with pytest.raises(services.VehicleNotFound):
        paper(Vehicle(pk=404), "insurance", until=None)


def test_marco_files_a_paper_through_the_api(
    api: Callable[[User | None], APIClient], scooter: Vehicle, marco: User
) -> None:
    url = f"/api/v1/fleet/vehicles/{scooter.public_id}/documents"
    policy = {"kind": "insurance", "number": "AX-7", "valid_from": "2026-01-01"}
    answer = api(marco).post(url, {**policy, "expires_on": "2099-12-31"})
    assert (answer.status_code, answer.json()["number"]) == (201, "AX-7")
    again = api(marco).post(url, {**policy, "expires_on": "2100-12-31"})
    assert again.status_code == 201
    assert VehicleDocument.objects.get().expires_on == datetime.date(2100, 12, 31)
    wrong = api(marco).post(url, {**policy, "expires_on": "2025-12-31"})
    assert wrong.status_code == 400
