"""A station that reports beginning and end in one message each, as OCPP 1.6 has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from charging.sessions import services
from charging.sessions.facts import (
    AuthorizationStatus,
    Reading,
    ReadingBatch,
    Sample,
    SessionStart,
    SessionStop,
)
from charging.sessions.models import ChargingSession, InboxMessage, MeterReading
from charging.sessions.states import SessionState
from charging.stations.models import ChargingStation
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation, connector_of

pytestmark = pytest.mark.django_db
CARD = "04A1B2C3"


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    """Two connectors of 22 kW, and Giulia's card is known."""
    services.ensure_token(uid=CARD, at=NOON)
    return make_station("CP1", connectors=2, online=True)


def start_of(station: ChargingStation, **changes: object) -> SessionStart:
    fact = SessionStart(
        station_id=station.pk,
        evse_number=1,
        uid=CARD,
        at=NOON,
        meter_start_wh=10_000,
        payload={"connectorId": 1},
    )
    return replace(fact, **changes)


def stop_of(station: ChargingStation, reference: str, **changes: object) -> SessionStop:
    fact = SessionStop(
        station_id=station.pk,
        transaction_ref=reference,
        at=NOON + timedelta(hours=1),
        meter_stop_wh=21_000,
        reason="Local",
    )
    return replace(fact, **changes)


def reading(minutes: int, wh: float, *, unit: str = "Wh") -> Reading:
    at = NOON + timedelta(minutes=minutes)
    return Reading(at=at, samples=(Sample(value=wh, unit=unit),), raw={"value": str(wh)})


def begin(station: ChargingStation, **changes: object) -> str:
    answers = services.start_sessions(starts=[start_of(station, **changes)], at=NOON)
    return answers[0].transaction_ref


def test_start_and_stop_make_one_session_with_its_energy(station: ChargingStation) -> None:
    reference = begin(station)
    services.stop_sessions(stops=[stop_of(station, reference)], at=NOON + timedelta(hours=1))

    session = ChargingSession.objects.get()
    assert session.state == SessionState.ENDED
    assert session.complete
    assert session.connector == connector_of(station)
    assert int(reference) > 0
    assert services.settle_session(session_id=session.pk, at=NOON + timedelta(hours=1))
    session.refresh_from_db()
    assert (session.state, session.energy_wh, session.flags) == (
        SessionState.SETTLED,
        11_000,
        ["no_tariff"],
    )


def test_a_repeated_start_gets_the_same_number_and_makes_no_second_session(
    station: ChargingStation,
) -> None:
    fact = start_of(station)
    first = services.start_sessions(starts=[fact, fact], at=NOON)
    again = services.start_sessions(starts=[fact], at=NOON + timedelta(minutes=5))

    references = {answer.transaction_ref for answer in [*first, *again]}
    assert len(references) == 1
    assert [answer.duplicate for answer in [*first, *again]] == [False, True, True]
    assert [answer.verdict.status for answer in again] == [AuthorizationStatus.ACCEPTED]
    assert ChargingSession.objects.count() == 1
    assert OutboxEvent.objects.filter(name="charging.session_started.v1").count() == 1


def test_a_repeat_in_another_letter_case_is_a_repeat(station: ChargingStation) -> None:
    first = begin(station)
    assert begin(station, uid=CARD.lower()) == first


@pytest.mark.parametrize(
    "change",
    [{"evse_number": 2}, {"meter_start_wh": 10_001}, {"at": NOON + timedelta(seconds=1)}],
)
def test_another_fact_is_another_session(
    station: ChargingStation,
    change: dict[str, object],
) -> None:
    assert begin(station) != begin(station, **change)


def test_a_refused_card_still_gets_a_number(station: ChargingStation) -> None:
    services.block_token(uid=CARD, at=NOON, by=SYSTEM)
    [blocked, unknown] = services.start_sessions(
        starts=[start_of(station), start_of(station, evse_number=2, uid="WHO")],
        at=NOON,
    )
    assert blocked.verdict.status is AuthorizationStatus.BLOCKED
    assert unknown.verdict.status is AuthorizationStatus.INVALID
    assert int(blocked.transaction_ref) > 0
    assert int(unknown.transaction_ref) > 0
    assert {tuple(session.flags) for session in ChargingSession.objects.all()} == {
        ("unauthorised",),
    }


def test_a_card_charges_once_at_a_time_unless_it_may(station: ChargingStation) -> None:
    begin(station)
    [second] = services.start_sessions(starts=[start_of(station, evse_number=2)], at=NOON)
    assert second.verdict.status is AuthorizationStatus.CONCURRENT

    services.ensure_token(uid=CARD, at=NOON, allows_parallel=True)
    later = start_of(station, evse_number=2, at=NOON + timedelta(minutes=1))
    [third] = services.start_sessions(starts=[later], at=NOON)
    assert third.verdict.status is AuthorizationStatus.ACCEPTED


def test_two_cards_starts_in_one_batch_see_each_other(station: ChargingStation) -> None:
    answers = services.start_sessions(
        starts=[start_of(station), start_of(station, evse_number=2)],
        at=NOON,
    )
    assert [answer.verdict.status for answer in answers] == [
        AuthorizationStatus.ACCEPTED,
        AuthorizationStatus.CONCURRENT,
    ]


def test_a_new_session_on_the_same_connector_is_not_concurrent(station: ChargingStation) -> None:
    begin(station)
    again = start_of(station, at=NOON + timedelta(hours=3), meter_start_wh=30_000)
    [answer] = services.start_sessions(starts=[again], at=NOON + timedelta(hours=3))
    assert answer.verdict.accepted


def test_an_expired_card_is_expired_to_the_second(station: ChargingStation) -> None:
    services.ensure_token(uid="OLD", at=NOON, expires_at=NOON, group="FAMILY")
    before = services.authorize(uid="old", station_id=station.pk, at=NOON - timedelta(seconds=1))
    after = services.authorize(uid="old", station_id=station.pk, at=NOON)
    assert (before.status, before.group) == (AuthorizationStatus.ACCEPTED, "FAMILY")
    assert after.status is AuthorizationStatus.EXPIRED


@pytest.mark.parametrize("reference", ["-1", "0", "999999", "abc"])
def test_a_stop_we_never_numbered_is_kept_and_ends_nothing(
    station: ChargingStation,
    reference: str,
) -> None:
    begin(station)
    orphan = stop_of(station, reference)
    [first] = services.stop_sessions(stops=[orphan], at=NOON)
    [again] = services.stop_sessions(stops=[orphan], at=NOON)

    assert (first.known, first.duplicate) == (False, False)
    assert (again.known, again.duplicate) == (False, True)
    kept = ChargingSession.objects.get(state=SessionState.ORPHAN)
    assert (kept.meter_stop_wh, kept.flags) == (21_000, ["unknown_transaction"])
    assert ChargingSession.objects.filter(state=SessionState.CHARGING).count() == 1


def test_a_stop_of_another_station_ends_nothing(
    station: ChargingStation,
    make_station: MakeStation,
) -> None:
    reference = begin(station)
    other = make_station("CP2")
    services.stop_sessions(stops=[stop_of(other, reference)], at=NOON)
    assert ChargingSession.objects.get(transaction_ref=reference).state == SessionState.CHARGING


def test_a_repeated_stop_changes_nothing(station: ChargingStation) -> None:
    reference = begin(station)
    fact = stop_of(station, reference, uid=CARD)
    [first] = services.stop_sessions(stops=[fact], at=NOON)
    ChargingSession.objects.update(meter_stop_wh=1)
    [again] = services.stop_sessions(stops=[fact, fact], at=NOON)[:1]
    assert first.verdict == again.verdict
    assert again.duplicate
    assert ChargingSession.objects.get().meter_stop_wh == 1
    assert OutboxEvent.objects.filter(name="charging.session_ended.v1").count() == 1


def test_a_clock_set_back_does_not_make_time_run_backwards(station: ChargingStation) -> None:
    reference = begin(station)
    early = stop_of(station, reference, at=NOON - timedelta(hours=5))
    services.stop_sessions(stops=[early], at=NOON)
    assert ChargingSession.objects.get().ended_at == NOON


def test_readings_show_live_and_repeat_harmlessly(station: ChargingStation) -> None:
    reference = begin(station)
    batch = ReadingBatch(
        station_id=station.pk,
        evse_number=1,
        readings=(reading(10, 12_000), reading(20, 14.5, unit="kWh")),
        transaction_ref=reference,
    )
    for _delivery in range(3):
        services.record_readings(readings=[batch], at=NOON)
    assert MeterReading.objects.count() == 2
    session = ChargingSession.objects.get()
    assert session.energy_wh == 4_500
    assert session.charged_until == NOON + timedelta(minutes=20)


def test_readings_without_a_number_find_the_open_session(station: ChargingStation) -> None:
    begin(station)
    for evse, minutes in ((1, 10), (2, 10), (1, -10), (7, 1)):
        batch = ReadingBatch(
            station_id=station.pk,
            evse_number=evse,
            readings=(reading(minutes, 11_000 + evse),),
        )
        services.record_readings(readings=[batch], at=NOON)
    attached = MeterReading.objects.filter(session__isnull=False)
    assert [row.register_wh for row in attached] == [11_001]
    assert MeterReading.objects.count() == 4


@pytest.mark.parametrize("absurd", [9_000, 900_000_000, -5, float("inf"), 10**15])
def test_an_absurd_reading_is_kept_flagged_and_not_billed(
    station: ChargingStation,
    absurd: float,
) -> None:
    reference = begin(station)
    batch = ReadingBatch(
        station_id=station.pk,
        evse_number=1,
        readings=(Reading(at=NOON + timedelta(minutes=5), samples=(Sample(value=absurd),)),),
        transaction_ref=reference,
    )
    services.record_readings(readings=[batch], at=NOON)
    assert MeterReading.objects.get().suspect
    assert ChargingSession.objects.get().energy_wh == 0
    services.stop_sessions(stops=[stop_of(station, reference)], at=NOON)
    session = ChargingSession.objects.get()
    services.settle_session(session_id=session.pk, at=NOON)
    session.refresh_from_db()
    assert session.energy_wh in {11_000, 0}
    assert session.energy_wh == 11_000


def test_a_zero_baseline_is_not_billed_as_the_odometer(station: ChargingStation) -> None:
    reference = begin(station, meter_start_wh=0)
    batch = ReadingBatch(
        station_id=station.pk,
        evse_number=1,
        readings=(reading(1, 910_000), reading(30, 915_000)),
        transaction_ref=reference,
    )
    services.record_readings(readings=[batch], at=NOON)
    services.stop_sessions(stops=[stop_of(station, reference, meter_stop_wh=920_000)], at=NOON)
    session = ChargingSession.objects.get()
    services.settle_session(session_id=session.pk, at=NOON)
    session.refresh_from_db()
    assert session.energy_wh == 10_000
    assert "suspect_meter" in session.flags


def test_values_inside_the_stop_are_stored(station: ChargingStation) -> None:
    reference = begin(station)
    stop = stop_of(station, reference, readings=(reading(30, 15_000), reading(60, 21_000)))
    services.stop_sessions(stops=[stop], at=NOON)
    assert MeterReading.objects.filter(session__transaction_ref=reference).count() == 2


def test_a_connector_we_do_not_know_is_never_guessed(station: ChargingStation) -> None:
    begin(station, evse_number=5)
    session = ChargingSession.objects.get()
    assert session.connector is None
    assert session.flags == ["unknown_connector"]


def test_rubbish_characters_do_not_stop_the_batch(station: ChargingStation) -> None:
    begin(station, uid="BAD\x00UID", payload={"note": "nul \x00 here"})
    assert InboxMessage.objects.get().payload == {"note": "nul  here"}


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size(
    make_station: MakeStation,
    django_assert_max_num_queries: object,
) -> None:
    fleet = [make_station(f"BIG{number}") for number in range(12)]
    for number in range(12):
        services.ensure_token(uid=f"CARD{number}", at=NOON)
    starts = [start_of(station, uid=f"CARD{index}") for index, station in enumerate(fleet)]
    with transaction.atomic():
        with django_assert_max_num_queries(11):
            answers = services.start_sessions(starts=starts, at=NOON)
        batches = [
            ReadingBatch(
                station_id=station.pk,
                evse_number=1,
                readings=(reading(10, 12_000),),
                transaction_ref=answer.transaction_ref,
            )
            for station, answer in zip(fleet, answers, strict=True)
        ]
        with django_assert_max_num_queries(4):
            services.record_readings(readings=batches, at=NOON)
        stops = [
            stop_of(station, answer.transaction_ref)
            for station, answer in zip(fleet, answers, strict=True)
        ]
        with django_assert_max_num_queries(12):
            services.stop_sessions(stops=stops, at=NOON)
    assert ChargingSession.objects.filter(state=SessionState.ENDED).count() == 12


def test_offline_readings_are_joined_when_the_session_is_settled(
    station: ChargingStation,
) -> None:
    reference = begin(station, meter_start_wh=0)
    services.stop_sessions(stops=[stop_of(station, reference, meter_stop_wh=920_000)], at=NOON)
    late = ReadingBatch(
        station_id=station.pk,
        evse_number=1,
        readings=(reading(1, 915_000), reading(50, 919_000)),
    )
    services.record_readings(readings=[late], at=NOON)
    session = ChargingSession.objects.get()
    services.settle_session(session_id=session.pk, at=datetime(2026, 5, 5, tzinfo=UTC))
    session.refresh_from_db()
    assert session.energy_wh == 5_000
    assert session.readings.count() == 2
