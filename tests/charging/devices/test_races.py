"""Two at once: one list under way, one end of a job."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from charging.devices import services
from charging.devices.facts import JobStatusSaid, PartSaid
from charging.devices.models import FirmwareJob, LocalList, Report
from charging.devices.services import lists
from charging.sessions.models import Token
from charging.stations.models import ChargingStation, StationCommand
from charging.stations.services import queue_command
from mobility.core import ids
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds: Callable[[], object]) -> list[BaseException]:
    """Run the deeds in threads that start together; what they raised."""
    start, raised = Barrier(len(deeds)), []

    def run(deed: Callable[[], object]) -> None:
        try:
            start.wait(5)
            deed()
        except BaseException as problem:  # noqa: BLE001 - the test looks at it
            raised.append(problem)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return raised


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    """Luca's charger, and a card of his."""
    station = make_station(online=True)
    Token.objects.create(uid="04AA", organisation=station.site.organisation, created_at=NOON)
    return station


def test_two_who_send_the_list_send_it_once(station: ChargingStation) -> None:
    def send(key: str) -> Callable[[], object]:
        return lambda: services.send_list(station=station, at=NOON, by=SYSTEM, idempotency_key=key)

    assert at_once(*(send(f"k{number}") for number in range(4))) == []
    assert StationCommand.objects.filter(action="send_list").count() == 1
    assert LocalList.objects.get().sending["version"] == 1


def ask(station: ChargingStation, action: str, **payload: object) -> StationCommand:
    return queue_command(
        station_id=station.pk,
        action=action,
        payload=payload,
        idempotency_key=action,
        at=NOON,
        by=SYSTEM,
    )


def test_a_job_has_one_end_though_word_and_patience_end_together(station: ChargingStation) -> None:
    location = {"location": "https://example.org/f", "retrieve_at": "2026-05-04T10:00:00Z"}
    command = ask(station, "update_firmware", **location)
    late = NOON + timedelta(hours=50)
    said = JobStatusSaid(
        station_id=station.pk, kind="firmware", status="Installed", number=command.pk, at=late
    )

    def hear() -> None:
        with transaction.atomic():
            services.record_facts(facts=[said], at=late)

    assert at_once(hear, lambda: services.give_up_jobs(at=late)) == []
    # Whoever came first: the station's word counts.
    assert FirmwareJob.objects.get().state == "Installed"


def test_parts_that_come_together_make_one_report(station: ChargingStation) -> None:
    """Two gateways may bring two parts at once, after a reconnect; neither may miss the other's."""
    command = ask(station, "get_base_report", base="full")

    def hear(number: int) -> Callable[[], object]:
        part = PartSaid(
            station_id=station.pk,
            kind="base",
            number=command.pk,
            at=NOON,
            last=number == 3,
            items=[{"n": number}],
            seq_no=number,
        )

        def deed() -> None:
            with transaction.atomic():
                services.record_facts(facts=[part], at=NOON)

        return deed

    assert at_once(*(hear(number) for number in range(4))) == []
    report = Report.objects.get()
    assert (report.state, report.parts_count, report.missing) == ("complete", 4, [])


def test_an_upload_on_a_slow_line_holds_up_nobody(station: ChargingStation) -> None:
    """The station says `Uploading` over its socket while it does; the gateway must not wait."""
    secret = ids.secret()
    command = ask(
        station,
        "get_log",
        location="https://example.org/log",
        secret_hash=ids.hash_secret(secret),
    )
    said = JobStatusSaid(
        station_id=station.pk, kind="log", status="Uploading", number=command.pk, at=NOON
    )

    def hear() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '500ms'")
            services.record_facts(facts=[said], at=NOON)

    class SlowLine(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert at_once(hear) == []
            return super().read(size)

    job = services.take_upload(secret=secret, name="a.log", content=SlowLine(b"log"), at=NOON)
    assert (job.state, job.statuses[0]["status"]) == ("Uploaded", "Uploading")


def test_a_sweep_finds_what_changed_behind_any_number_of_lists_in_order(
    make_station: MakeStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blocked card must leave the list of the last station, too."""
    stations = [make_station(name, online=True) for name in ("FIRST", "SECOND")]
    for post in stations:
        services.manage_list(station=post, managed=True, at=NOON, by=SYSTEM)
    LocalList.objects.filter(station=stations[0]).update(state="synchronised", version=1)
    Token.objects.create(uid="04BB", organisation=stations[1].site.organisation, created_at=NOON)
    held = lists.wanted_entries(station=stations[0])
    LocalList.objects.filter(station=stations[0]).update(entries=held)
    monkeypatch.setattr(lists, "_AT_ONCE", 1)
    assert services.tend_lists(at=NOON) == 1
    assert LocalList.objects.get(station=stations[1]).state == "sending"
