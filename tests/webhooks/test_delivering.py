"""A fact reaches the program that asked for it, signed, and comes again until it is taken."""

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from rest_framework.test import APIClient

from fleet.vehicles.models import Vehicle
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.courier import sending
from mobility.core.models import HandledEvent
from mobility.webhooks import rules, services
from mobility.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from tests.webhooks.receiver import Receiver, after, dripping_head, endless, status

pytestmark = pytest.mark.django_db

DAYS = datetime.timedelta(days=1)
Listen = Callable[..., dict[str, Any]]
Happen = Callable[..., None]
Deliver = Callable[..., int]


def the_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.select_related("message", "endpoint").get()


def test_a_fact_arrives_signed_with_public_ids_and_is_booked(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver, scooter: Vehicle
) -> None:
    secret = listen()["secret"]
    happen()
    assert deliver() == 1
    (got,) = receiver.received
    assert rules.verify(
        secret=secret, headers=got.headers, body=got.body, now=int(clock.now().timestamp())
    )
    assert got.path == "/hook?of=ruote"
    told = json.loads(got.body)
    assert told["type"] == "vehicle.life_changed"
    assert told["data"]["vehicle"] == str(scooter.public_id)
    assert told["data"]["after"] == "workshop"
    assert "vehicle_id" not in told["data"]
    row = the_delivery()
    assert (row.state, row.attempts, row.last_status) == ("delivered", 1, 204)
    assert got.headers["webhook-id"] == str(row.message.event_id)
    assert deliver() == 0


def test_nobody_else_can_sign_and_nobody_can_change_or_repeat_a_webhook_later(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    secret = listen()["secret"]
    happen()
    deliver()
    (got,) = receiver.received
    now = int(clock.now().timestamp())
    other = rules.derive_secret(key="another house", salt="x")
    ok = {"secret": secret, "headers": got.headers, "body": got.body, "now": now}
    assert rules.verify(**ok)
    assert not rules.verify(**ok | {"secret": other})
    assert not rules.verify(**ok | {"body": got.body.replace(b"workshop", b"in_service")})
    assert not rules.verify(**ok | {"now": now + 301})
    assert not rules.verify(**ok | {"headers": got.headers | {"webhook-id": "1"}})


def test_facts_nobody_asked_for_cost_not_even_a_note(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    listen(kinds=["trip.ended"])
    happen()
    assert deliver() == 0
    assert not HandledEvent.objects.filter(handler__startswith="mobility.webhooks").exists()
    assert not WebhookMessage.objects.exists()


def test_another_fleet_hears_nothing_of_ours(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    rivale: User,
    api: Callable[[User | None], APIClient],
) -> None:
    theirs = api(rivale).post(
        "/api/v1/webhook-endpoints", {"url": receiver.url, "kinds": ["vehicle.life_changed"]}
    )
    assert theirs.status_code == 201
    happen()
    assert deliver() == 0
    listen()
    happen()
    assert deliver() == 1
    assert the_delivery().endpoint.organisation.slug == "ruote"


def test_a_fact_told_twice_is_delivered_once(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    from mobility.core.models import OutboxEvent
    from mobility.core.outbox import Fact

    listen()
    happen()
    row = OutboxEvent.objects.get(name="fleet.life_changed.v1")
    fact = Fact(event_id=row.event_id, name=row.name, payload=row.payload, at=row.at)
    assert services.tell_endpoints(fact=fact, at=clock.now()) == 0
    assert deliver() == 1


@pytest.mark.parametrize(
    ("reply", "code", "failure"),
    [
        (status(500), 500, "refused"),
        (status(404), 404, "refused"),
        (status(302, location="http://127.0.0.1:1/"), 302, "redirected"),
    ],
)
def test_a_receiver_that_does_not_take_it_is_asked_again_with_the_same_id(
    reply: Any,
    code: int,
    failure: str,
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
) -> None:
    listen()
    happen()
    receiver.reply = reply
    deliver()
    row = the_delivery()
    assert (row.state, row.last_status, row.last_failure) == ("failed", code, failure)
    assert deliver() == 0, "not before its time"
    receiver.reply = status(200)
    assert deliver(datetime.timedelta(seconds=6)) == 1
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert the_delivery().state == "delivered"
    assert WebhookEndpoint.objects.get().failures == 0


def test_who_asks_for_more_time_gets_it(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    listen()
    happen()
    receiver.reply = status(503, retry_after="600")
    deliver()
    assert deliver(datetime.timedelta(seconds=595)) == 0
    assert deliver(datetime.timedelta(seconds=602)) == 1


def test_after_three_days_of_errors_it_is_given_up(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    listen()
    happen()
    receiver.reply = status(500)
    passed = datetime.timedelta()
    for _ in range(rules.MAX_ATTEMPTS):
        deliver(passed)
        due = the_delivery().next_attempt_at
        passed = (due - clock.now() + datetime.timedelta(seconds=1)) if due else passed
    row = the_delivery()
    assert (row.state, row.attempts) == ("given_up", rules.MAX_ATTEMPTS)
    assert 2.9 * DAYS < passed < 3.5 * DAYS
    assert len(receiver.received) == rules.MAX_ATTEMPTS


def test_an_endpoint_that_takes_nothing_for_days_is_disabled_and_its_keepers_are_told(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    relay: Callable[[], int],
    sara: User,
) -> None:
    listen()
    receiver.reply = status(500)
    happen()
    deliver()
    happen()
    deliver(6 * DAYS)
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "failing")
    assert {row.state for row in WebhookDelivery.objects.all()} == {"given_up"}
    relay()
    assert [message.to for message in mail.outbox] == [["marco@demo.example"]]
    assert endpoint.url in mail.outbox[0].body
    happen()
    assert WebhookDelivery.objects.count() == 2, "nothing waits for a disabled endpoint"
    assert WebhookMessage.objects.count() == 3, "but it can be sent again when it is back"


def test_a_receiver_that_says_it_is_gone_is_not_asked_again(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    listen()
    happen()
    receiver.reply = status(410)
    deliver()
    assert WebhookEndpoint.objects.get().state == "disabled"
    assert deliver(DAYS) == 0


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds are too long for a test."""
    init = sending.Courier.__init__
    monkeypatch.setattr(
        sending.Courier,
        "__init__",
        lambda self, *, allow_private: init(self, allow_private=allow_private, timeout_s=0.5),
    )
    monkeypatch.setattr(sending, "READ_S", 0.2)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("reply", [after(1.0, status(200)), dripping_head])
def test_who_does_not_answer_in_time_is_hung_up_on(
    reply: Any, listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    listen()
    happen()
    receiver.reply = reply
    deliver()
    row = the_delivery()
    assert (row.state, row.last_status, row.last_failure) == ("failed", None, "timed_out")
    assert 400 < (row.last_ms or 0) < 1000


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    "reply", [endless(200, part=b"x", every_s=0.02), endless(200, part=b"x" * 65536, every_s=0)]
)
def test_of_an_endless_answer_only_the_status_counts(
    reply: Any, listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    listen()
    happen()
    receiver.reply = reply
    deliver()
    row = the_delivery()
    assert (row.state, row.last_status) == ("delivered", 200)
    assert (row.last_ms or 0) < 450


def test_a_slow_receiver_keeps_nobody_waiting(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    slow, quick = Receiver(), receiver
    try:
        slow.reply = after(0.5, status(200))
        listen(slow.url)
        happen(6)
        listen(quick.url)
        happen(2)
        assert deliver() == 6 + 2 + 2
    finally:
        slow.close()
    slow_ones = WebhookDelivery.objects.filter(endpoint__url=slow.url).order_by("delivered_at")
    quick_ones = WebhookDelivery.objects.filter(endpoint__url=quick.url).order_by("delivered_at")
    # Four at a time go to the slow one; the fifth begins when the first has come back.
    fifth, last = slow_ones[4].delivered_at, quick_ones[1].delivered_at
    assert fifth
    assert last
    assert last < fifth


def test_who_was_killed_before_booking_sends_again_under_the_same_id(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mobility.webhooks.services import delivering

    listen()
    happen()

    class Killed(BaseException):
        pass

    def dies(*_args: Any, **_terms: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(delivering, "_book", dies)
        with pytest.raises(Killed):
            deliver()
    assert the_delivery().state == "pending"
    assert deliver() == 0, "somebody may still be sending it"
    assert deliver(delivering.LEASE + datetime.timedelta(seconds=1)) == 1
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert the_delivery().state == "delivered"


def test_two_rounds_at_once_send_once(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver
) -> None:
    import psycopg
    from django.db import connection

    from mobility.core.locks import lock_key

    listen()
    happen()
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    with psycopg.connect(**parameters, autocommit=True) as other:
        key = [lock_key("mobility.webhooks.deliver")]
        other.execute("SELECT pg_advisory_lock(%s)", key)
        assert deliver() == 0
        other.execute("SELECT pg_advisory_unlock(%s)", key)
    assert deliver() == 1


@pytest.mark.parametrize(
    "host", ["localhost", "localtest.invalid", "0.0.0.0", "127.0.0.1", "[::1]", "169.254.169.254"]
)
def test_names_and_addresses_inside_get_nothing(
    host: str,
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    settings: Any,
) -> None:
    """Whatever stands in the table: the judgement comes after looking up, right before connecting."""
    listen(f"https://{host}:{receiver.server.server_address[1]}/")
    happen()
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    deliver()
    row = the_delivery()
    assert (row.state, row.last_status) == ("failed", None)
    assert row.last_failure == ("unknown_host" if "invalid" in host else "address_forbidden")
    assert receiver.received == []


def test_a_public_name_that_points_inside_gets_nothing(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket

    inside = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in ("93.184.215.14", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: inside)
    listen("https://hooks.example.com/")
    happen()
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    deliver()
    assert the_delivery().last_failure == "address_forbidden"


def test_nothing_leaves_unsigned_when_the_houses_key_was_lost(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    settings: Any,
) -> None:
    secret = listen()["secret"]
    happen()
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new key of the house"
    assert deliver() == 0
    # No attempt either: weeks without the key must not count beyond what the column holds.
    assert (the_delivery().attempts, the_delivery().state) == (0, "pending")
    settings.SECRET_KEY_FALLBACKS = [old]
    assert deliver(datetime.timedelta(minutes=1)) == 1
    (got,) = receiver.received
    later = int(clock.now().timestamp()) + 60
    assert rules.verify(secret=secret, headers=got.headers, body=got.body, now=later)


def test_facts_of_last_month_are_forgotten(listen: Listen, happen: Happen) -> None:
    listen()
    happen(at=clock.now() - 31 * DAYS)
    happen()
    assert services.forget_old(at=clock.now()) == 1
    assert WebhookDelivery.objects.count() == 1
