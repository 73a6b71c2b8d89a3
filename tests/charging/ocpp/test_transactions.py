"""Sessions over the wire: what is stored before the answer, and once, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from charging.ocpp.deeds import Verb
from charging.ocpp.gateway import verbs
from charging.sessions import services
from charging.sessions.models import ChargingSession, InboxMessage, MeterReading
from charging.stations.models import ChargingStation
from mobility.core import clock
from tests.charging.ocpp.conftest import Grid
from tests.charging.ocpp.peer import Peer, start_16

Eventually = Callable[..., Any]
BEGAN = datetime(2026, 5, 1, 10, tzinfo=UTC)


def text(minutes: float) -> str:
    return (BEGAN + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def stop_16(
    transaction_id: int, meter: int, minutes: float = 60, **extra: object
) -> dict[str, object]:
    return {
        "transactionId": transaction_id,
        "meterStop": meter,
        "timestamp": text(minutes),
        **extra,
    }


def values_16(transaction_id: int | None, register: object, minutes: float) -> dict[str, object]:
    known = {} if transaction_id is None else {"transactionId": transaction_id}
    value = {"timestamp": text(minutes), "sampledValue": [{"value": str(register)}]}
    return {"connectorId": 1, "meterValue": [value], **known}


def session_of(station: ChargingStation) -> ChargingSession:
    return ChargingSession.objects.get(station=station)


def settled_session_of(station: ChargingStation) -> ChargingSession:
    """After its bill: only then the energy is final."""
    assert services.settle_session(session_id=session_of(station).pk, at=clock.now())
    return session_of(station)


class TestAuthorize:
    """The card's word comes back exactly."""

    def status(self, peer: Peer, uid: str) -> str:
        status: str = peer.result("Authorize", {"idTag": uid})["idTagInfo"]["status"]
        return status

    def test_each_kind_of_card(self, grid: Grid) -> None:
        peer = grid.dial(grid.station())
        good = grid.token(group="FAMILY")
        assert peer.result("Authorize", {"idTag": good.lower()})["idTagInfo"] == {
            "status": "Accepted",
            "parentIdTag": "FAMILY",
        }
        assert self.status(peer, "nobody-knows-me") == "Invalid"
        assert self.status(peer, grid.token(state="blocked")) == "Blocked"
        yesterday = clock.now() - timedelta(days=1)
        assert self.status(peer, grid.token(expires_at=yesterday)) == "Expired"

    def test_201_says_the_same(self, grid: Grid) -> None:
        peer = grid.dial(grid.station(), "ocpp2.0.1")
        ask = {"idToken": {"idToken": grid.token(), "type": "ISO14443"}}
        assert peer.result("Authorize", ask)["idTokenInfo"]["status"] == "Accepted"
        free = {"idToken": {"idToken": "", "type": "NoAuthorization"}}
        assert peer.result("Authorize", free)["idTokenInfo"]["status"] == "Accepted"


class TestV16:
    """Start, meter, stop."""

    def test_a_whole_session(self, grid: Grid) -> None:
        station = grid.station()
        peer = grid.dial(station)
        tag = grid.token()
        answer = peer.result("StartTransaction", start_16(tag))
        assert answer["idTagInfo"]["status"] == "Accepted"
        number = answer["transactionId"]
        assert number > 0
        for minute in range(1, 6):
            assert peer.result("MeterValues", values_16(number, 1000 + 200 * minute, minute)) == {}
        assert peer.result("StopTransaction", stop_16(number, 3000, 10)) == {}
        session = settled_session_of(station)
        assert (session.energy_wh, session.complete) == (2000, True)
        assert (session.started_at, session.ended_at) == (BEGAN, BEGAN + timedelta(minutes=10))
        assert MeterReading.objects.filter(session=session).count() >= 5

    def test_a_start_repeated_under_a_new_id_after_a_cut(self, grid: Grid) -> None:
        station = grid.station()
        tag = grid.token()
        peer = grid.dial(station)
        peer.send([2, "first", "StartTransaction", start_16(tag)])
        peer.cut()
        again = grid.dial(station)
        one = again.result("StartTransaction", start_16(tag), message_id="second")
        two = again.result("StartTransaction", start_16(tag), message_id="third")
        same = again.result("StartTransaction", start_16(tag), message_id="third")
        assert one == two == same
        assert one["idTagInfo"]["status"] == "Accepted"
        assert session_of(station).transaction_ref == str(one["transactionId"])

    def test_a_stranger_gets_a_number_all_the_same(self, grid: Grid) -> None:
        answer = grid.dial(grid.station()).result("StartTransaction", start_16("stranger"))
        assert answer["idTagInfo"]["status"] == "Invalid"
        assert answer["transactionId"] > 0

    @pytest.mark.parametrize("number", [-1, 0, 999_999_999])
    def test_an_orphaned_stop_is_answered_kept_and_ends_nothing(
        self,
        grid: Grid,
        number: int,
    ) -> None:
        station = grid.station()
        peer = grid.dial(station)
        peer.result("StartTransaction", start_16(grid.token()))
        assert peer.result("StopTransaction", stop_16(number, 5000)) == {}
        assert peer.result("StopTransaction", stop_16(number, 5000)) == {}
        running = ChargingSession.objects.filter(station=station, ended_at__isnull=True)
        assert running.count() == 1
        assert InboxMessage.objects.filter(station=station, action="stop").count() == 1

    def test_two_sessions_of_one_second_stay_apart(self, grid: Grid) -> None:
        station = grid.station()
        peer = grid.dial(station)
        one = peer.result("StartTransaction", start_16(grid.token()))["transactionId"]
        two = peer.result("StartTransaction", start_16(grid.token(), connectorId=2))[
            "transactionId"
        ]
        assert one != two
        peer.result("StopTransaction", stop_16(two, 2000))
        ended = ChargingSession.objects.filter(station=station, ended_at__isnull=False)
        assert [session.transaction_ref for session in ended] == [str(two)]

    def test_an_offline_block_keeps_the_chargers_times(self, grid: Grid) -> None:
        station = grid.station()
        peer = grid.dial(station)
        number = peer.result("StartTransaction", start_16(grid.token()))["transactionId"]
        for minute in range(1, 31):
            peer.send(
                [2, f"o{minute}", "MeterValues", values_16(number, 1000 + 100 * minute, minute)]
            )
        peer.send([2, "end", "StopTransaction", stop_16(number, 4000, 30, reason="PowerLoss")])
        answers = [peer.receive() for _ in range(31)]
        assert [answer[0] for answer in answers] == [3] * 31
        assert answers[-1][1] == "end"
        session = settled_session_of(station)
        assert (session.energy_wh, session.stop_reason) == (3000, "PowerLoss")
        assert session.ended_at == BEGAN + timedelta(minutes=30)

    @pytest.mark.parametrize(
        "payload",
        [
            values_16(None, 1500, 5),
            values_16(424_242, 1500, 5),
            values_16(None, "abc", 5),
            values_16(None, -(10**30), 5),
            values_16(None, 910_000_000_000, 5),
            {**values_16(None, 1, 5), "connectorId": 0},
            {**values_16(None, 1, 5), "connectorId": 99},
        ],
    )
    def test_strange_readings_are_always_answered(
        self,
        grid: Grid,
        payload: dict[str, object],
    ) -> None:
        station = grid.station()
        peer = grid.dial(station)
        number = peer.result("StartTransaction", start_16(grid.token()))["transactionId"]
        assert peer.result("MeterValues", payload) == {}
        assert peer.result("StopTransaction", stop_16(number, 2000)) == {}
        assert settled_session_of(station).energy_wh == 1000

    @pytest.mark.parametrize(("start", "stop"), [(1000, 10), (0, 2**62), (-5, 100), (2**62, 5)])
    def test_absurd_registers_bill_nothing_absurd(self, grid: Grid, start: int, stop: int) -> None:
        station = grid.station()
        peer = grid.dial(station)
        payload = start_16(grid.token(), meterStart=start)
        number = peer.result("StartTransaction", payload)["transactionId"]
        assert peer.result("StopTransaction", stop_16(number, stop)) == {}
        assert 0 <= settled_session_of(station).energy_wh <= 1_000_000


def event(kind: str, seq_no: int, uid: str = "", **extra: object) -> dict[str, object]:
    token = {"idToken": {"idToken": uid, "type": "ISO14443"}} if uid else {}
    register = {"value": 1000 + 500 * seq_no, "context": "Sample.Periodic"}
    return {
        "eventType": kind,
        "timestamp": text(seq_no),
        "triggerReason": "Authorized" if kind == "Started" else "MeterValuePeriodic",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "TX-1"},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [{"timestamp": text(seq_no), "sampledValue": [register]}],
        **token,
        **extra,
    }


class TestV201:
    """Numbered events, in whatever order they come."""

    def run(self, grid: Grid, order: list[tuple[str, int]]) -> ChargingSession:
        station = grid.station()
        peer = grid.dial(station, "ocpp2.0.1")
        uid = grid.token()
        for kind, seq_no in order:
            peer.result("TransactionEvent", event(kind, seq_no, uid if kind == "Started" else ""))
        session = session_of(station)
        return settled_session_of(station) if session.complete else session

    def test_in_order(self, grid: Grid) -> None:
        session = self.run(grid, [("Started", 0), ("Updated", 1), ("Ended", 2)])
        assert (session.energy_wh, session.complete) == (1000, True)

    def test_a_late_event_completes(self, grid: Grid) -> None:
        order = [("Started", 0), ("Updated", 1), ("Updated", 3), ("Ended", 4)]
        session = self.run(grid, order)
        assert not session.complete
        assert session.seq_missing == [2]
        session = self.run(grid, [*order[:3], ("Updated", 2), order[3]])
        assert (session.energy_wh, session.complete) == (2000, True)

    def test_the_end_before_the_beginning(self, grid: Grid) -> None:
        session = self.run(grid, [("Ended", 2), ("Updated", 1), ("Started", 0)])
        assert (session.energy_wh, session.complete) == (1000, True)

    def test_whole_numbers_may_come_with_a_point(self, grid: Grid) -> None:
        station = grid.station()
        peer = grid.dial(station, "ocpp2.0.1")
        started = event("Started", 0, grid.token())
        peer.result("TransactionEvent", {**started, "seqNo": 0.0, "evse": {"id": 1.0}})
        assert session_of(station).seq_first == 0

    def test_a_repeated_event_counts_once(self, grid: Grid) -> None:
        station = grid.station()
        peer = grid.dial(station, "ocpp2.0.1")
        started = event("Started", 0, grid.token())
        first = peer.result("TransactionEvent", started)
        assert first["idTokenInfo"]["status"] == "Accepted"
        assert peer.result("TransactionEvent", started) == first
        assert InboxMessage.objects.filter(station=station).count() == 1


class TestWriter:
    """One bad deed costs nobody else anything; a lost database costs nobody a fact."""

    def test_a_poisoned_deed_is_set_aside(
        self,
        grid: Grid,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        bad = grid.station()
        real = verbs.BATCHES[Verb.START]

        def touchy(facts: list[Any], at: datetime) -> Any:
            if any(fact.station_id == bad.pk for fact in facts):
                raise ValueError("secret internals")
            return real(facts, at)

        monkeypatch.setitem(verbs.BATCHES, Verb.START, touchy)  # type: ignore[misc]
        peers = [grid.dial(station) for station in (bad, grid.station(), grid.station())]
        for peer in peers:
            peer.send([2, "s", "StartTransaction", start_16(grid.token())])
        answers = [peer.receive() for peer in peers]
        assert [answer[0] for answer in answers] == [4, 3, 3]
        assert answers[0][2] == "InternalError"
        assert "secret" not in str(answers[0])
        kept = InboxMessage.objects.get(station=bad)
        assert "secret internals" in kept.problem
        assert peers[0].result("Heartbeat")

    def test_a_lost_connection_is_made_anew(self, grid: Grid) -> None:
        station = grid.station()
        peer = grid.dial(station)
        tag = grid.token()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
        answer = peer.result("StartTransaction", start_16(tag))
        assert answer["idTagInfo"]["status"] == "Accepted"
        assert session_of(station).transaction_ref == str(answer["transactionId"])
