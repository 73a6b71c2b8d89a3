"""Charge detail records: numbered without a gap, never changed, taken back by their own kind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from charging.sessions import services
from charging.sessions.facts import SessionStart, SessionStop
from charging.sessions.models import ChargeRecord, ChargingSession
from charging.sessions.owners import cards_and_sessions, forget_owner
from charging.sessions.services.corrections import (
    EnergyImplausible,
    NothingToCorrect,
    WhollyCredited,
)
from charging.stations.models import ChargingStation
from charging.tariffs.models import TariffVersion
from charging.tariffs.services import ensure_tariff, place_tariff
from mobility.accounts.models import Organisation
from mobility.core.models import AuditEntry, OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import MakeStation
from tests.charging.statements.conftest import MAY, MakeCharge

pytestmark = pytest.mark.django_db


def test_a_settled_session_has_one_record_that_says_all(
    station: ChargingStation, charge: MakeCharge
) -> None:
    session = charge(station, MAY, wh=10_000, parked=20)
    record = session.records.get()
    assert record.number == "CDR-2026-000001"
    assert [(line["kind"], line["cents"]) for line in record.lines] == [
        ("flat", 35),
        ("energy", 499),
        ("idle", 100),
    ]
    assert (record.gross_cents, record.energy_wh) == (634, 10_000)
    assert (record.charging_s, record.idle_s) == (3600, 1200)
    assert record.net_cents == sum(part["net_cents"] for part in record.vat) == 32 + 491
    assert (record.meter["start_wh"], record.meter["stop_wh"]) == (1000, 11_000)
    assert (record.place["station"], record.tariff["code"]) == ("CP1", "base")
    assert [period["charging"] for period in record.periods] == [True, False]
    assert session.charging_ended_at == MAY + timedelta(hours=1)


def test_numbers_have_no_gap_and_are_each_operator_s_own(
    station: ChargingStation, charge: MakeCharge, make_station: MakeStation, scossa: object
) -> None:

    other = make_station(
        "CP9", organisation=Organisation.objects.get(slug="scossa"), site_name="Altrui", at=MAY
    )
    for number in range(3):
        charge(station, MAY + number * timedelta(hours=3))
    charge(other, MAY)
    charge(station, MAY + timedelta(days=300))
    numbers = {
        slug: list(
            ChargeRecord.objects.filter(organisation__slug=slug)
            .order_by("pk")
            .values_list("number", flat=True)
        )
        for slug in ("colonnine", "scossa")
    }
    assert numbers == {
        "colonnine": [
            "CDR-2026-000001",
            "CDR-2026-000002",
            "CDR-2026-000003",
            "CDR-2027-000001",
        ],
        "scossa": ["CDR-2026-000001"],
    }


@pytest.mark.parametrize("deed", ["update", "delete", "sql"])
def test_the_database_lets_nobody_change_a_record(
    station: ChargingStation, charge: MakeCharge, deed: str
) -> None:
    records = charge(station, MAY).records.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        if deed == "update":
            records.update(gross_cents=0)
        elif deed == "delete":
            ChargeRecord.objects.filter(pk__in=records)._raw_delete("default")
        else:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE charging_chargerecord SET reason = 'x'")
    assert records.get().gross_cents > 0


def test_the_database_lets_nobody_change_a_published_tariff(station: ChargingStation) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        TariffVersion.objects.update(components=[])


def test_a_credit_takes_back_all_of_it_once(station: ChargingStation, charge: MakeCharge) -> None:
    record = charge(station, MAY, parked=10).records.get()
    credit = services.credit_record(record_id=record.pk, reason="Wrong meter", at=MAY, by=SYSTEM)
    assert (credit.gross_cents, credit.net_cents, credit.energy_wh) == (
        -record.gross_cents,
        -record.net_cents,
        -record.energy_wh,
    )
    assert credit.credits == record
    with pytest.raises(services.AlreadyCredited):
        services.credit_record(record_id=record.pk, reason="Again", at=MAY, by=SYSTEM)
    with pytest.raises(services.NotCreditable):
        services.credit_record(record_id=credit.pk, reason="Back", at=MAY, by=SYSTEM)
    told = OutboxEvent.objects.get(name="charging.session_corrected.v1").payload
    assert (told["before_cents"], told["after_cents"]) == (record.gross_cents, 0)
    assert AuditEntry.objects.filter(action="credit_record").count() == 1


def test_nobody_takes_back_without_saying_why(station: ChargingStation, charge: MakeCharge) -> None:
    record = charge(station, MAY).records.get()
    with pytest.raises(services.ReasonMissing):
        services.credit_record(record_id=record.pk, reason=" ", at=MAY, by=SYSTEM)


def test_a_correction_is_a_credit_and_another_record(
    station: ChargingStation, charge: MakeCharge
) -> None:
    session = charge(station, MAY, wh=10_000)
    later = MAY + timedelta(days=40)
    record = services.correct_session(
        session_id=session.pk, reason="Meter read by hand", energy_wh=4_000, at=later, by=SYSTEM
    )
    session.refresh_from_db()
    assert (session.energy_wh, session.price_cents, session.state) == (4_000, 235, "settled")
    sums = [(row.kind, row.gross_cents) for row in session.records.order_by("pk")]
    assert sums == [("charge", 534), ("credit", -534), ("charge", 235)]
    assert record.issued_at == later
    with pytest.raises(NothingToCorrect):
        services.correct_session(
            session_id=session.pk, reason="Again", energy_wh=4_000, at=later, by=SYSTEM
        )


def test_what_was_credited_whole_stays_so(station: ChargingStation, charge: MakeCharge) -> None:
    session = charge(station, MAY)
    services.credit_record(
        record_id=session.records.get().pk, reason="Cable broken", at=MAY, by=SYSTEM
    )
    with pytest.raises(WhollyCredited):
        services.correct_session(
            session_id=session.pk, reason="After all", energy_wh=1_000, at=MAY, by=SYSTEM
        )
    assert session.records.count() == 2


def test_no_correction_gives_more_than_the_connector_can(
    station: ChargingStation, charge: MakeCharge
) -> None:
    session = charge(station, MAY)
    with pytest.raises(EnergyImplausible):
        services.correct_session(
            session_id=session.pk, reason="Odometer", energy_wh=910_000, at=MAY, by=SYSTEM
        )
    assert session.records.count() == 1


def test_only_what_was_settled_is_corrected(station: ChargingStation) -> None:
    session = ChargingSession.objects.create(
        station=station, transaction_ref="1", heard_at=MAY, started_at=MAY
    )
    with pytest.raises(services.NotSettled):
        services.correct_session(session_id=session.pk, reason="x", at=MAY, by=SYSTEM)


@pytest.mark.django_db(transaction=True)
def test_two_clerks_at_once_take_a_record_back_once(
    station: ChargingStation, charge: MakeCharge
) -> None:
    record = charge(station, MAY).records.get()
    together, outcomes = threading.Barrier(2), list[str]()

    def clerk() -> None:
        together.wait()
        try:
            services.credit_record(record_id=record.pk, reason="Wrong", at=MAY, by=SYSTEM)
            outcomes.append("credited")
        except services.AlreadyCredited:
            outcomes.append("refused")
        finally:
            connection.close()

    clerks = [threading.Thread(target=clerk) for _ in range(2)]
    for thread in clerks:
        thread.start()
    for thread in clerks:
        thread.join(10)
    assert sorted(outcomes) == ["credited", "refused"]
    assert ChargeRecord.objects.filter(credits=record).count() == 1


def test_a_session_is_billed_by_the_tariff_of_its_start_wherever_the_connector_moves_later(
    station: ChargingStation, charge: MakeCharge, relay: Callable[[], int]
) -> None:
    """The place of a tariff changes between start and settlement: what was told is what costs."""

    start = SessionStart(station_id=station.pk, evse_number=1, uid="CARD", at=MAY, meter_start_wh=0)
    [answer] = services.start_sessions(starts=[start], at=MAY)
    dear = ensure_tariff(
        organisation_id=station.site.organisation_id,
        code="dear",
        name={"it": "Cara"},
        components=[{"kind": "energy", "unit_cents": "999"}],
        valid_from=MAY - timedelta(days=1),
        at=MAY - timedelta(days=1),
        by=SYSTEM,
    )
    place_tariff(tariff_id=dear.pk, site_id=station.site_id, at=MAY, by=SYSTEM)
    stop = SessionStop(
        station_id=station.pk,
        transaction_ref=answer.transaction_ref,
        at=MAY + timedelta(hours=1),
        meter_stop_wh=10_000,
    )
    services.stop_sessions(stops=[stop], at=MAY + timedelta(hours=1))
    relay()
    assert ChargeRecord.objects.get().gross_cents == 534


@pytest.mark.django_db(transaction=True)
def test_event_and_sweep_at_once_issue_one_record(
    station: ChargingStation, charge: MakeCharge
) -> None:
    charge(station, MAY)
    with transaction.atomic():
        begun = MAY + timedelta(hours=5)
        start = SessionStart(
            station_id=station.pk, evse_number=1, uid="CARD", at=begun, meter_start_wh=0
        )
        [answer] = services.start_sessions(starts=[start], at=begun)
        end = begun + timedelta(hours=1)
        stop = SessionStop(
            station_id=station.pk,
            transaction_ref=answer.transaction_ref,
            at=end,
            meter_stop_wh=9000,
        )
        services.stop_sessions(stops=[stop], at=end)
    session = ChargingSession.objects.get(transaction_ref=answer.transaction_ref)
    together, settled = threading.Barrier(2), list[bool]()

    def settle() -> None:
        together.wait()
        try:
            settled.append(services.settle_session(session_id=session.pk, at=end))
        finally:
            connection.close()

    both = [threading.Thread(target=settle) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join(10)
    assert sorted(settled) == [False, True]
    numbers = ChargeRecord.objects.order_by("pk").values_list("sequence", flat=True)
    assert list(numbers) == [1, 2]


def test_the_owner_s_export_names_the_records_and_erasure_cuts_them_off(
    station: ChargingStation, charge: MakeCharge
) -> None:
    charge(station, MAY, token="04OWN", owner_ref="user:giulia")
    shown = cards_and_sessions(owner_ref="user:giulia")
    assert [row["number"] for row in shown["records"]] == ["CDR-2026-000001"]
    forget_owner(owner_ref="user:giulia", at=MAY + timedelta(days=1), by=SYSTEM)
    assert cards_and_sessions(owner_ref="user:giulia")["records"] == []
    assert ChargeRecord.objects.get().gross_cents > 0
