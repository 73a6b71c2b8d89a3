"""The base of every door: keys replay, problems speak, nobody's rows leak."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient

from mobility.accounts.models import User
from mobility.core import clock, problems
from mobility.core.api import WriteView, read
from mobility.core.errors import Conflict
from mobility.core.models import IdempotencyKey, OutboxEvent


class Busy(Conflict):
    code = "busy"
    message = "Taken by %(who)s."


class RingView(WriteView):
    """Writes a row per call; `fail` raises, `refuse` answers a refusal that must stay."""

    calls: ClassVar[list[str]] = []

    def post(self, request: Request) -> Response:
        with transaction.atomic():
            OutboxEvent.objects.create(name="ring", payload={}, at=clock.now())
        what = request.data.get("what", "")
        self.calls.append(what)
        if what == "fail":
            raise Busy(who="Piero", extra={"alternatives": ["MI-2"]})
        if what == "crash":
            raise ZeroDivisionError
        if what == "refuse":
            return problems.problem_response(Busy(who="Piero"))
        return Response({"rings": OutboxEvent.objects.count()}, status=201)


urlpatterns = [path("ring", RingView.as_view())]
handler500 = "mobility.core.problems.server_error"
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    RingView.calls.clear()


@pytest.fixture
def bell(api, giulia: User) -> APIClient:
    client: APIClient = api(giulia)
    return client


def ring(client: APIClient, key: str | None = None, what: str = "") -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/ring", {"what": what}, headers=headers)


def test_the_same_key_acts_once_and_answers_the_same_bytes(bell: APIClient) -> None:
    first, second = ring(bell, "k1"), ring(bell, "k1")
    assert (
        (first.status_code, first.content)
        == (second.status_code, second.content)
        == (201, b'{"rings":1}')
    )
    assert second["Idempotency-Replayed"] == "true"
    assert OutboxEvent.objects.count() == 1


def test_without_a_key_every_call_is_a_new_one(bell: APIClient) -> None:
    assert [ring(bell).json()["rings"], ring(bell).json()["rings"]] == [1, 2]


def test_a_key_cannot_be_used_for_another_request(bell: APIClient) -> None:
    ring(bell, "k1")
    answer = ring(bell, "k1", "other")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_keys_of_two_people_do_not_meet(bell: APIClient, api, piero: User) -> None:
    ring(bell, "k1")
    assert ring(api(piero), "k1").json() == {"rings": 2}


def test_a_failed_call_leaves_nothing_and_may_be_repeated_with_its_key(bell: APIClient) -> None:
    answer = ring(bell, "k1", "fail")
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == "Taken by Piero."
    assert answer.json()["alternatives"] == ["MI-2"]
    assert not OutboxEvent.objects.exists()
    assert not IdempotencyKey.objects.exists()
    ring(bell, "k1", "fail")
    assert RingView.calls == ["fail", "fail"]


def test_a_deliberate_refusal_keeps_its_effect_and_is_replayed(bell: APIClient) -> None:
    assert ring(bell, "k1", "refuse").status_code == ring(bell, "k1", "refuse").status_code == 409
    assert OutboxEvent.objects.count() == 1


def test_a_crash_says_nothing_inner_and_leaves_nothing(bell: APIClient) -> None:
    answer = ring(bell, "k1", "crash")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert b"ZeroDivision" not in answer.content
    assert not OutboxEvent.objects.exists()


@pytest.mark.parametrize("key", ["x" * 129, "tab\tbed"])
def test_a_malformed_key_is_refused(bell: APIClient, key: str) -> None:
    assert ring(bell, key).json()["code"] == "idempotency_key_malformed"


def test_nobody_is_asked_to_sign_in(api) -> None:
    answer = ring(api(None), "k1")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_rubbish_instead_of_json_is_told_so(bell: APIClient) -> None:
    answer = bell.generic("POST", "/ring", b"{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


class Place(serializers.Serializer[Any]):
    lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    name = serializers.CharField(max_length=5, default="here")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Not everything goes together."""
        if attrs["name"] == "pole" and "lat" in attrs:
            raise serializers.ValidationError("A pole has its place.")
        return attrs


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lat": "45.5", "name": "x", "more": 1},
        {"lat": 91, "name": "too long"},
        {"name": "pole", "lat": 90},
        {"name": None},
        [],
        "text",
        [{"lat": 1}],
    ],
)
def test_a_form_that_is_kept_reads_what_a_fresh_one_reads_and_refuses_alike(body: Any) -> None:
    fresh = Place(data=body)
    for _again in range(2):
        if fresh.is_valid():
            assert read(Place, body) == fresh.validated_data
        else:
            with pytest.raises(ValidationError) as refused:
                read(Place, body)
            assert refused.value.detail == fresh.errors


def test_nothing_at_all_is_no_body() -> None:
    with pytest.raises(ValidationError) as refused:
        read(Place, None)
    assert refused.value.get_codes() == {"non_field_errors": ["null"]}


def test_many_read_by_one_form_at_once_without_hearing_each_other() -> None:
    def ask(number: int) -> dict[str, Any]:
        return dict(read(Place, {"lat": number % 90, "name": str(number)}))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(400)))
    assert answers == [{"lat": number % 90, "name": str(number)} for number in range(400)]
