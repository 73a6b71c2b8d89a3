"""A station that tells a session in numbered events, as OCPP 2.x has it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from charging.sessions import services
from charging.sessions.facts import (
    AuthorizationStatus,
    EventAnswer,
    EventKind,
    Reading,
    Sample,
    TransactionEvent,
)
from charging.sessions.models import ChargingSession, MeterReading
from charging.sessions.states import SessionState
from charging.stations.models import ChargingStation, StationCommand
from charging.tariffs.services import ensure_tariff
from mobility.accounts.models import Organisation
from mobility.core.models import OutboxEvent
from mobility.core.principals import SYSTEM
from tests.charging.fixtures import NOON, MakeStation, connector_of

pytestmark = pytest.mark.django_db
CARD = "04A1B2C3"
PER_KWH = [{"kind": "energy", "unit_cents": "50"}]


@pytest.fixture
def station(make_station: MakeStation) -> ChargingStation:
    services.ensure_token(uid=CARD, at=NOON)
    return make_station("CS201", connectors=2, online=True)


def event(station: ChargingStation, seq_no: int, /, **changes: object) -> TransactionEvent:
    """Event 0 starts, 4 ends, those between carry a register of 10 kWh + 1 kWh per event."""
    kind = {0: EventKind.STARTED, 4: EventKind.ENDED}.get(seq_no, EventKind.UPDATED)
    at = NOON + timedelta(minutes=10 * seq_no)
    sample = Sample(value=10.0 + seq_no, unit="kWh")
    fact = TransactionEvent(
        station_id=station.pk,
        kind=kind,
        transaction_ref="tx-1",
        seq_no=seq_no,
        at=at,
        evse_number=1,
        uid=CARD if seq_no == 0 else None,
        charging_state="Charging" if seq_no < 4 else "",
        readings=(Reading(at=at, samples=(sample,)),),
        payload={"seqNo": seq_no},
    )
    return replace(fact, **changes)


def tell(*events: TransactionEvent, hours: int = 1) -> list[EventAnswer]:
    return services.record_transaction_events(events=events, at=NOON + timedelta(hours=hours))


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::17])
@pytest.mark.parametrize("together", [True, False])
def test_any_order_of_arrival_makes_the_same_session(
    station: ChargingStation,
    order: tuple[int, ...],
    together: bool,
) -> None:
    events = [event(station, seq_no) for seq_no in order]
    batches = [events] if together else [[one] for one in events]
    for batch in batches:
        tell(*batch)
    session = ChargingSession.objects.get()
    assert (session.state, session.complete) == (SessionState.ENDED, True)
    assert (session.started_at, session.ended_at) == (NOON, NOON + timedelta(minutes=40))
    assert (session.token_uid, session.connector) == (CARD, connector_of(station))
    services.settle_session(session_id=session.pk, at=NOON + timedelta(hours=1))
    session.refresh_from_db()
    assert (session.energy_wh, session.flags) == (4_000, ["no_tariff"])
    assert OutboxEvent.objects.filter(name="charging.session_started.v1").count() == 1
    assert OutboxEvent.objects.filter(name="charging.session_ended.v1").count() == 1


def test_a_gap_keeps_the_bill_waiting_and_closing_it_settles(station: ChargingStation) -> None:
    tell(*(event(station, seq_no) for seq_no in (0, 1, 3, 4)))
    session = ChargingSession.objects.get()
    assert (session.complete, session.seq_missing) == (False, [2])
    assert not services.settle_session(session_id=session.pk, at=session.end_reported_at)

    tell(event(station, 2))
    session.refresh_from_db()
    assert session.complete
    assert services.settle_due(at=NOON + timedelta(hours=1)) == 1


def test_a_gap_that_never_closes_is_settled_as_an_estimate(station: ChargingStation) -> None:
    tell(*(event(station, seq_no) for seq_no in (0, 1, 4)))
    assert services.settle_due(at=NOON + timedelta(hours=1, minutes=14)) == 0
    assert services.settle_due(at=NOON + timedelta(hours=1, minutes=16)) == 1
    session = ChargingSession.objects.get()
    assert (session.state, session.energy_wh) == (SessionState.SETTLED, 4_000)
    assert "estimated" in session.flags

    more = event(station, 5, kind=EventKind.UPDATED)
    tell(event(station, 2), more, hours=5)
    session.refresh_from_db()
    assert (session.state, session.energy_wh) == (SessionState.SETTLED, 4_000)
    assert session.ended_at == NOON + timedelta(minutes=40)
    assert "late_data" in session.flags


def test_repeats_get_the_same_answer_and_change_nothing(
    station: ChargingStation,
    colonnine: Organisation,
) -> None:
    tariff(colonnine)
    first = tell(*(event(station, seq_no) for seq_no in (0, 1, 4)))
    again = tell(*(event(station, seq_no) for seq_no in (0, 1, 4)), hours=2)
    assert [replace(answer, duplicate=False) for answer in again] == first
    assert all(answer.duplicate for answer in again)
    assert ChargingSession.objects.count() == 1
    assert MeterReading.objects.count() == 3


def tariff(operator: Organisation) -> None:
    ensure_tariff(
        organisation_id=operator.pk,
        code="base",
        name={"it": "Base"},
        components=PER_KWH,
        valid_from=NOON - timedelta(days=1),
        is_default=True,
        at=NOON - timedelta(days=1),
        by=SYSTEM,
    )


def test_a_priced_station_hears_the_cost(
    station: ChargingStation,
    colonnine: Organisation,
) -> None:
    tariff(colonnine)
    [started] = tell(event(station, 0))
    [updated] = tell(event(station, 1))
    [ended] = tell(*(event(station, seq_no) for seq_no in (4,)))
    assert (started.cost_cents, updated.cost_cents, ended.cost_cents) == (None, 50, 200)


def test_an_event_without_its_beginning_is_kept_and_bills_nobody(
    station: ChargingStation,
) -> None:
    tell(event(station, 4), event(station, 2))
    session = ChargingSession.objects.get()
    assert session.state == SessionState.ORPHAN
    assert services.settle_due(at=NOON + timedelta(days=3)) == 0


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"charging_state": "EVConnected", "uid": None}, SessionState.AUTHORISED),
        ({"charging_state": "EVConnected", "trigger": "Authorized"}, SessionState.AUTHORISED),
        ({"charging_state": "Charging", "trigger": "ChargingStateChanged"}, SessionState.CHARGING),
        ({"charging_state": "", "trigger": "ParkingBayOccupancy"}, SessionState.AUTHORISED),
        ({"charging_state": "", "readings": ()}, SessionState.AUTHORISED),
    ],
)
def test_every_way_to_begin_gives_one_session(
    station: ChargingStation,
    changes: dict[str, object],
    state: str,
) -> None:
    tell(event(station, 0, **changes))
    tell(event(station, 1))
    assert ChargingSession.objects.get().state == SessionState.CHARGING
    assert OutboxEvent.objects.filter(name="charging.session_started.v1").count() == 1
    ChargingSession.objects.all().delete()
    tell(event(station, 0, transaction_ref="tx-2", **changes))
    assert ChargingSession.objects.get().state == state


def test_the_card_may_come_after_the_plug(station: ChargingStation) -> None:
    tell(event(station, 0, uid=None, charging_state="EVConnected"))
    [answer] = tell(event(station, 1, uid=CARD.lower(), trigger="Authorized"))
    assert answer.verdict is not None
    assert answer.verdict.accepted
    assert ChargingSession.objects.get().token_uid == CARD


def test_the_card_that_stops_does_not_become_the_one_that_pays(station: ChargingStation) -> None:
    services.ensure_token(uid="FRIEND", at=NOON)
    tell(event(station, 0), event(station, 4, uid="FRIEND"))
    session = ChargingSession.objects.get()
    assert (session.token_uid, session.stop_token_uid) == (CARD, "FRIEND")


def test_a_start_button_without_a_card_is_accepted(station: ChargingStation) -> None:
    [answer] = tell(event(station, 0, uid=None, token_kind="NoAuthorization"))
    assert answer.verdict is not None
    assert answer.verdict.accepted


def test_an_unknown_card_is_refused_and_flagged(station: ChargingStation) -> None:
    [answer] = tell(event(station, 0, uid="WHO"))
    assert answer.verdict is not None
    assert answer.verdict.status is AuthorizationStatus.INVALID
    assert ChargingSession.objects.get().flags == ["unauthorised"]


def test_a_card_that_charges_elsewhere_is_concurrent(station: ChargingStation) -> None:
    tell(event(station, 0))
    [answer] = tell(event(station, 0, transaction_ref="tx-2", evse_number=2))
    assert answer.verdict is not None
    assert answer.verdict.status is AuthorizationStatus.CONCURRENT


def test_a_remote_start_hands_its_purpose_to_the_session(station: ChargingStation) -> None:
    command = services.remote_start(
        connector_id=connector_of(station).pk,
        token_uid=CARD,
        purpose_ref="recharge:7",
        idempotency_key="k",
        at=NOON,
        by=SYSTEM,
    )
    assert isinstance(command, StationCommand)
    tell(event(station, 0, remote_start_id=command.pk))
    assert ChargingSession.objects.get().purpose_ref == "recharge:7"


@pytest.mark.parametrize("seq_no", [5_000, 2**31, -3])
def test_a_wild_number_is_noted_not_searched_for(station: ChargingStation, seq_no: int) -> None:
    tell(event(station, 0), event(station, 1, seq_no=seq_no), event(station, 4))
    session = ChargingSession.objects.get()
    assert len(session.seq_missing) <= 3
    assert session.state == SessionState.ENDED


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size(
    make_station: MakeStation,
    colonnine: Organisation,
    django_assert_max_num_queries: object,
) -> None:
    tariff(colonnine)
    fleet = [make_station(f"BIG{number}") for number in range(12)]
    for number in range(12):
        services.ensure_token(uid=f"CARD{number}", at=NOON)
    for seq_no, limit in ((0, 17), (1, 13), (4, 18)):
        events = [
            event(station, seq_no, uid=f"CARD{number}") for number, station in enumerate(fleet)
        ]
        with transaction.atomic(), django_assert_max_num_queries(limit):
            tell(*events)
    assert ChargingSession.objects.filter(state=SessionState.ENDED).count() == 12
