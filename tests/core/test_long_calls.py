"""Calls that commit before and after they ask somebody outside: one deed and one answer per key."""

import threading
from typing import ClassVar

import pytest
from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from mobility.accounts.models import User
from mobility.core import clock, idempotency, locks
from mobility.core.api import WriteView, spans_transactions
from mobility.core.errors import Conflict
from mobility.core.models import IdempotencyKey, OutboxEvent
from tests.bookings.races import at_once


class Declined(Conflict):
    code = "declined"
    message = "The bank says no."


class AskView(WriteView):
    """Commits a row, asks the bank, answers."""

    # Set while the bank thinks; tests let it think.
    bank: ClassVar[threading.Event] = threading.Event()
    asked: ClassVar[list[str]] = []

    @spans_transactions
    def post(self, request: Request) -> Response:
        locks.refuse_transaction("asking the bank")
        OutboxEvent.objects.create(name="asked", payload={}, at=clock.now())
        what = request.data.get("what", "")
        self.asked.append(what)
        assert self.bank.wait(10)
        if what == "decline":
            raise Declined
        if what == "die":
            raise SystemExit
        return Response({"rows": OutboxEvent.objects.count()}, status=201)


urlpatterns = [path("ask", AskView.as_view())]
handler500 = "mobility.core.problems.server_error"
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _quick_bank() -> None:
    AskView.bank.set()
    AskView.asked.clear()


@pytest.fixture
def phone(api, giulia: User) -> APIClient:
    client: APIClient = api(giulia)
    return client


def ask(client: APIClient, key: str | None = None, what: str = "") -> Response:
    return client.post("/ask", {"what": what}, headers={"Idempotency-Key": key} if key else {})


def test_the_same_key_asks_once_and_answers_the_same_bytes(phone: APIClient) -> None:
    first, second = ask(phone, "k1"), ask(phone, "k1")
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second["Idempotency-Replayed"] == "true"
    assert AskView.asked == [""]


def test_many_taps_at_once_wait_for_the_one_answer(api, giulia: User) -> None:
    AskView.bank.clear()
    threading.Timer(0.3, AskView.bank.set).start()
    phones = [api(giulia) for _tap in range(4)]
    answers = at_once([lambda p=p: ask(p, "k1") for p in phones])
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, b'{"rows":1}')}
    assert len(AskView.asked) == 1


def test_who_waits_too_long_is_told_that_it_is_being_worked_on(
    api, giulia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "PATIENCE_S", 1)
    AskView.bank.clear()
    threading.Timer(2.0, AskView.bank.set).start()
    answers = at_once([lambda p=p: ask(p, "k1") for p in (api(giulia), api(giulia))])
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert "request_in_progress" in {answer.json().get("code") for answer in answers}


def test_a_refusal_is_not_kept_but_what_was_committed_stays(phone: APIClient) -> None:
    assert ask(phone, "k1", "decline").json()["code"] == "declined"
    assert OutboxEvent.objects.count() == 1
    assert not IdempotencyKey.objects.exists()
    assert ask(phone, "k1", "decline").json()["code"] == "declined"
    assert len(AskView.asked) == 2


def test_after_a_death_on_the_way_the_same_key_runs_again(phone: APIClient) -> None:
    with pytest.raises(SystemExit):
        ask(phone, "k1", "die")
    assert not IdempotencyKey.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        )
        assert cursor.fetchone() == (0,)
    with pytest.raises(SystemExit):
        ask(phone, "k1", "die")
    assert AskView.asked == ["die", "die"]


def test_a_key_cannot_be_used_for_another_request(phone: APIClient) -> None:
    ask(phone, "k1")
    assert ask(phone, "k1", "other").json()["code"] == "idempotency_key_reused"


def test_a_key_that_is_none_is_refused(phone: APIClient) -> None:
    assert ask(phone, "x" * 129).json()["code"] == "idempotency_key_malformed"
