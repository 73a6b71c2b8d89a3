"""What happened is stored once, in its order, with the charger's times: nothing lost, nothing guessed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from charging.sessions import services
from charging.sessions.models import ChargeRecord, ChargingSession, MeterReading
from charging.stations.models import ChargingStation, Connector
from charging.tariffs.services import (
    draft_version,
    ensure_tariff,
    place_tariff,
    publish_version,
)
from mobility.core import clock, ids
from mobility.core.principals import SYSTEM
from tests.charging.ocpp.conftest import Grid
from tests.protocols.asking import Eventually
from tests.protocols.transactions.charges import START, Charge, text, told
from tests.protocols.versions import TWO, V16, begin, boot


@pytest.fixture(autouse=True)
def _price(grid: Grid) -> None:
    """50 cents per kWh at Luca's."""
    ensure_tariff(
        organisation_id=grid.site.organisation_id,
        code="base",
        name={"it": "Base"},
        components=[{"kind": "energy", "unit_cents": "50"}],
        valid_from=START - timedelta(days=30),
        is_default=True,
        at=clock.now() - timedelta(days=30),
        by=SYSTEM,
    )


def settled(session: ChargingSession, *, minutes: int = 0) -> ChargingSession:
    services.settle_session(session_id=session.pk, at=clock.now() + timedelta(minutes=minutes))
    session.refresh_from_db()
    return session


def sessions(station: ChargingStation) -> int:
    return ChargingSession.objects.filter(station=station).count()


def test_a_start_repeated_after_a_cut_line_is_one_charge(grid: Grid, version: str) -> None:
    station, token = grid.station(), grid.token()
    peer = grid.dial(station, version)
    charge = Charge(peer, version, token)
    first = charge.start()
    peer.cut()
    again = Charge(grid.dial(station, version), version, token)
    again.reference = charge.reference
    assert again.start() == first
    assert sessions(station) == 1


def test_a_start_whose_answer_nobody_read_is_one_charge(
    grid: Grid, version: str, eventually: Eventually
) -> None:
    station, token = grid.station(), grid.token()
    action, payload = begin(version, token)
    peer = grid.dial(station, version)
    peer.send([2, "never-read", action, payload])
    assert eventually(lambda: sessions(station) == 1)
    peer.cut()
    answer = grid.dial(station, version).result(action, payload, message_id="another")
    assert told(version, answer) == "Accepted"
    session = ChargingSession.objects.get(station=station)
    reference = str(answer["transactionId"]) if version == V16 else "T1"
    assert session.transaction_ref == reference


@pytest.mark.parametrize("version", TWO)
def test_an_end_of_an_unknown_transaction_is_kept_once_and_ends_nothing(
    grid: Grid, version: str
) -> None:
    station, token = grid.station(), grid.token()
    peer = grid.dial(station, version)
    running, stray = Charge(peer, version, token), Charge(peer, version, token)
    running.start()
    for _ in range(2):
        stray.event("Ended", 10, 5000, number=3, context="Transaction.End", reason="Local")
    assert (running.session(station).state, running.session(station).ended_at) == (
        "authorised",
        None,
    )
    assert stray.session(station).state == "orphan"
    assert sessions(station) == 2


@pytest.mark.parametrize("version", [V16])
@pytest.mark.parametrize("reference", [987_654_321, -1, 0])
def test_a_stop_of_an_unknown_transaction_is_answered_and_ends_nothing(
    grid: Grid, version: str, reference: int
) -> None:
    station, token = grid.station(), grid.token()
    peer = grid.dial(station, version)
    running = Charge(peer, version, token)
    running.start()
    stray = Charge(peer, version, token)
    stray.reference = str(reference)
    stray.stop(10, 5000)
    assert running.session(station).state == "charging"
    [orphan] = ChargingSession.objects.filter(station=station, state="orphan")
    assert orphan.flags == ["unknown_transaction"]


def test_of_two_charges_begun_in_one_second_only_the_named_one_ends(
    grid: Grid, version: str
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    charges = [Charge(peer, version, grid.token(), connector=number) for number in (1, 2)]
    for charge in charges:
        charge.start()
    charges[1].stop(30, 4000)
    begun = "charging" if version == V16 else "authorised"
    assert [charge.session(station).state for charge in charges] == [begun, "ended"]


def test_an_offline_block_keeps_the_charger_s_times_and_the_price_of_that_time(
    grid: Grid, version: str
) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.start(1000, **({} if version == V16 else {"offline": True}))
    for minute in range(1, 31):
        charge.read(minute, 1000 + minute * 200)
    charge.stop(31, 7200)
    session = settled(charge.session(station))
    assert (session.started_at, session.ended_at) == (START, START + timedelta(minutes=31))
    assert (session.energy_wh, session.price_cents, session.flags) == (6200, 310, ["offline"])
    record = ChargeRecord.objects.get(session=session)
    assert (record.energy_wh, record.gross_cents) == (6200, 310)
    assert (record.net_cents, record.started_at) == (254, START)


def test_an_offline_charge_costs_what_was_the_price_when_it_began(grid: Grid, version: str) -> None:
    station = grid.station()
    tariff = ensure_tariff(
        organisation_id=grid.site.organisation_id,
        code=ids.short_code(10).lower(),
        name={"it": "Prova"},
        components=[{"kind": "energy", "unit_cents": "50"}],
        valid_from=START - timedelta(days=1),
        at=START - timedelta(days=1),
        by=SYSTEM,
    )
    connector = Connector.objects.get(evse__station=station, evse__number=1)
    place_tariff(tariff_id=tariff.pk, connector_id=connector.pk, at=START, by=SYSTEM)
    risen = START + timedelta(hours=1)
    dearer = draft_version(
        tariff_id=tariff.pk,
        components=[{"kind": "energy", "unit_cents": "90"}],
        valid_from=risen,
        at=risen,
        by=SYSTEM,
    )
    publish_version(version_id=dearer.pk, at=risen, by=SYSTEM)
    prices = []
    for begun in (START, START + timedelta(hours=2)):
        charge = Charge(grid.dial(station, version), version, grid.token(), begun=begun)
        charge.start(1000)
        charge.read(10, 3000)
        charge.stop(30, 5000)
        prices.append(settled(charge.session(station)).price_cents)
    assert prices == [200, 360]


@pytest.mark.parametrize("version", TWO)
def test_a_charge_with_a_gap_waits_and_is_then_billed_exactly(grid: Grid, version: str) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.start(1000)
    charge.event("Updated", 10, 3000, number=1)
    charge.event("Updated", 30, 6000, number=3)
    charge.event("Ended", 40, 7000, number=4, context="Transaction.End", reason="Local")
    session = charge.session(station)
    assert (session.complete, session.seq_missing) == (False, [2])
    assert settled(session).state == "ended"
    charge.event("Updated", 20, 4500, number=2)
    session.refresh_from_db()
    assert (session.complete, session.seq_missing) == (True, [])
    assert settled(session).price_cents == 300
    assert session.flags == []


@pytest.mark.parametrize("version", TWO)
def test_what_never_arrives_makes_an_estimate_after_a_quarter_of_an_hour(
    grid: Grid, version: str
) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.start(1000)
    charge.event("Ended", 40, 7000, number=2, context="Transaction.End", reason="Local")
    session = settled(charge.session(station), minutes=20)
    assert (session.state, session.flags) == ("settled", ["estimated"])


@pytest.mark.parametrize("version", TWO)
def test_an_end_before_its_beginning_waits_for_it_and_makes_one_charge(
    grid: Grid, version: str
) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.event("Ended", 40, 7000, number=1, context="Transaction.End", reason="Local")
    assert charge.session(station).state == "orphan"
    charge.event("Started", 0, 1000, number=0, context="Transaction.Begin")
    session = charge.session(station)
    assert (session.state, session.complete, sessions(station)) == ("ended", True, 1)
    charge.event("Updated", 20, 4000, number=7)
    assert sessions(station) == 1
    assert settled(charge.session(station), minutes=20).energy_wh == 6000


@pytest.mark.parametrize("version", TWO)
@pytest.mark.parametrize(
    "trigger",
    [
        "CablePluggedIn",
        "Authorized",
        "SignedDataReceived",
        "ChargingStateChanged",
        "EVDetected",
        "RemoteStart",
    ],
)
def test_every_way_to_begin_makes_one_charge(grid: Grid, version: str, trigger: str) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.event("Started", 0, 1000, trigger=trigger)
    charge.read(5, 1500)
    charge.stop(10, 2000)
    assert settled(charge.session(station)).energy_wh == 1000
    assert sessions(station) == 1


@pytest.mark.parametrize("version", TWO)
def test_the_card_may_come_after_the_plug(grid: Grid, version: str) -> None:
    station, token = grid.station(), grid.token()
    charge = Charge(grid.dial(station, version), version, token, kind="")
    assert "idTokenInfo" not in charge.event("Started", 0, 1000, trigger="CablePluggedIn")
    shown = {"idToken": token, "type": "ISO14443"}
    answer = charge.event("Updated", 1, None, trigger="Authorized", idToken=shown)
    assert told(version, answer) == "Accepted"
    charge.read(5, 1500)
    charge.stop(10, 2000)
    session = settled(charge.session(station))
    assert (session.token_uid, session.verdict, session.energy_wh) == (token, "Accepted", 1000)
    assert sessions(station) == 1


ODD = {
    "absurd": ([{"value": "9e17"}], "absurd"),
    "backwards": ([{"value": "10"}], "backwards"),
    "a leap": ([{"value": "910000"}], "jump"),
    "kilowatt-hours": ([{"value": "2.5", "unit": "kWh"}], ""),
    "phases only": (
        [{"value": "900", "phase": "L1"}, {"value": "800", "phase": "L2"}, {"value": "800", "phase": "L3"}],
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_odd_meter_values_are_answered_flagged_and_never_billed(
    grid: Grid, version: str, kind: str
) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.start(1000)
    values, doubt = ODD[kind]
    if version != V16:
        values = [
            {
                **{name: one[name] for name in one if name not in {"value", "unit"}},
                "value": float(one["value"]),
                **({"unitOfMeasure": {"unit": one["unit"]}} if "unit" in one else {}),
            }
            for one in values
        ]
    charge.values(10, values)
    charge.stop(60, 6000)
    session = settled(charge.session(station))
    reading = MeterReading.objects.get(session=session, at=START + timedelta(minutes=10))
    assert (reading.doubt, reading.suspect) == (doubt, bool(doubt))
    if not doubt:
        assert reading.register_wh == 2500
    # Never negative, never the odometer, and what was honestly told is not lost with it.
    assert session.energy_wh == 5000


def test_an_offline_baseline_of_zero_does_not_bill_the_odometer(grid: Grid, version: str) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.start(0)
    for minute in (10, 20, 30):
        charge.read(minute, 910_000 + minute * 100)
    charge.stop(40, 914_000)
    session = settled(charge.session(station))
    assert session.energy_wh == 3000
    assert "suspect_meter" in session.flags


def test_meter_values_without_a_transaction_find_their_charge(grid: Grid, version: str) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    charge = Charge(peer, version, grid.token())
    charge.start(1000)
    value = "2000" if version == V16 else 2000
    element = {"timestamp": charge.at(5), "sampledValue": [{"value": value}]}
    place = "connectorId" if version == V16 else "evseId"
    assert peer.result("MeterValues", {place: 1, "meterValue": [element]}) == {}
    reading = MeterReading.objects.get(station=station, at=START + timedelta(minutes=5))
    assert (reading.register_wh, reading.session) == (2000, charge.session(station))


@pytest.mark.parametrize("version", TWO)
def test_interval_energy_alone_is_added_up(grid: Grid, version: str) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.event("Started", 0, None)
    interval = {"measurand": "Energy.Active.Import.Interval", "value": 1500.0}
    for minutes in (15, 30):
        charge.values(minutes, [interval])
    charge.event("Ended", 31, None, reason="Local")
    session = settled(charge.session(station))
    assert (session.energy_wh, session.price_cents) == (3000, 150)


def test_phases_currents_and_battery_are_kept(grid: Grid, version: str) -> None:
    station = grid.station()
    charge = Charge(grid.dial(station, version), version, grid.token())
    charge.start(1000)
    spoken = [
        ("Current.Import", "L1", 10.0),
        ("Current.Import", "L2", 11.0),
        ("Current.Import", "L3", 12.0),
        ("SoC", "", 55.0),
    ]
    charge.values(
        5,
        [
            {
                "measurand": measurand,
                "value": str(value) if version == V16 else value,
                **({"phase": phase} if phase else {}),
            }
            for measurand, phase, value in spoken
        ],
    )
    reading = MeterReading.objects.get(session=charge.session(station), soc_pct=55)
    assert reading.current_ma == 33_000
    assert reading.phases["L2"] == {"current_ma": 11_000}


def test_a_power_failure_ends_the_charge_with_that_reason(grid: Grid, version: str) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    charge = Charge(peer, version, grid.token())
    charge.start(1000)
    peer.cut()
    charge.peer = grid.dial(station, version)
    charge.peer.result("BootNotification", boot(version))
    charge.stop(20, 3000, reason="PowerLoss")
    session = charge.session(station)
    assert (session.state, session.stop_reason) == ("ended", "PowerLoss")


@pytest.mark.parametrize("version", TWO)
def test_the_running_and_the_total_cost_stand_in_the_answers(grid: Grid, version: str) -> None:
    charge = Charge(grid.dial(grid.station(), version), version, grid.token())
    charge.start(1000)
    assert charge.read(10, 3000)["totalCost"] == 1.0
    assert charge.stop(20, 5000)["totalCost"] == 2.0


@pytest.mark.parametrize("version", TWO)
def test_a_free_charge_costs_nothing_and_says_so(grid: Grid, version: str) -> None:
    charge = Charge(grid.dial(grid.station(), version), version, grid.token())
    charge.start(1000)
    assert charge.stop(20, 1000)["totalCost"] == 0.0


@pytest.mark.parametrize("version", ["ocpp2.1"])
def test_a_terminal_s_payment_is_kept_once_and_answered_with_the_record(
    grid: Grid, version: str
) -> None:
    station = grid.station()
    peer = grid.dial(station, version)
    charge = Charge(peer, version, grid.token())
    charge.start(1000)
    charge.stop(20, 5000)
    session = settled(charge.session(station))
    paid = {
        "transactionId": charge.reference,
        "pspRef": "PSP-1",
        "status": "Settled",
        "settlementAmount": 2.0,
        "settlementTime": text(START + timedelta(minutes=21)),
    }
    for _ in range(2):
        answer = peer.result("NotifySettlement", paid)
        assert answer == {"receiptId": ChargeRecord.objects.get(session=session).number}
    [row] = session.settlements.all()
    assert (row.amount_cents, row.status) == (200, "Settled")
