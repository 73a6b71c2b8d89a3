"""Endpoints through the API and the desk: who may, what is shown once, and what is sent again."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from mobility.accounts import services as accounts
from mobility.accounts.models import User
from mobility.accounts.states import Role
from mobility.core import clock
from mobility.core.models import AuditEntry, IdempotencyKey
from mobility.core.principals import SYSTEM
from mobility.webhooks import mapping, rules
from mobility.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from mobility.webhooks.services import endpoints
from tests.webhooks.receiver import Receiver, status

pytestmark = pytest.mark.django_db

ENDPOINTS = "/api/v1/webhook-endpoints"
Listen = Callable[..., dict[str, Any]]
Happen = Callable[..., None]
Deliver = Callable[..., int]
Api = Callable[[User | None], APIClient]


def address(endpoint: dict[str, Any], deed: str = "") -> str:
    return f"{ENDPOINTS}/{endpoint['id']}" + (f"/{deed}" if deed else "")


def test_the_secret_is_shown_once_and_stored_nowhere(listen: Listen, api: Api, marco: User) -> None:
    endpoint = listen()
    secret = endpoint["secret"]
    assert secret.startswith("whsec_")
    shown = api(marco).get(address(endpoint)).json()
    assert "secret" not in shown
    stored = WebhookSecret.objects.values_list("salt", "fingerprint").get()
    assert secret not in str(stored)
    assert secret not in str(list(AuditEntry.objects.values_list("changes", flat=True)))


def test_a_repeated_call_shows_the_secret_again_and_what_is_kept_for_it_is_sealed(
    listen: Listen, api: Api, marco: User
) -> None:
    endpoint, phone = listen(), api(marco)
    key = {"headers": {"Idempotency-Key": "rotate-once"}}
    first = phone.post(address(endpoint, "rotate"), **key)
    secret = first.json()["secret"]
    row = IdempotencyKey.objects.get(key="rotate-once")
    assert secret.encode() not in bytes(row.body)
    again = phone.post(address(endpoint, "rotate"), **key)
    assert (again.content, again["Content-Type"]) == (first.content, first["Content-Type"])
    assert again["Idempotency-Replayed"] == "true"
    assert WebhookSecret.objects.count() == 2, "rotated once"


@pytest.mark.parametrize(
    ("url", "kinds", "code"),
    [
        ("http://hooks.example.com/", ["trip.ended"], "webhook_url_refused"),
        ("https://10.0.0.1/", ["trip.ended"], "webhook_url_refused"),
        ("https://hooks.example.com/", ["trip.imagined"], "invalid_fields"),
        ("https://hooks.example.com/", [], "invalid_fields"),
    ],
)
def test_an_endpoint_must_make_sense(
    url: str, kinds: list[str], code: str, api: Api, marco: User, settings: Any
) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    refused = api(marco).post(ENDPOINTS, {"url": url, "kinds": kinds})
    assert (refused.status_code // 100, refused.json()["code"]) == (4, code)


def test_residents_crews_and_officers_keep_no_webhooks(
    api: Api, giulia: User, sara: User, elena: User
) -> None:
    for person in (giulia, sara, elena):
        assert api(person).get(ENDPOINTS).status_code == 403
    assert api(None).get(ENDPOINTS).status_code == 401


def test_who_works_for_two_says_for_which(
    api: Api, marco: User, colonnine: Any, receiver: Receiver
) -> None:
    role = Role.CHARGE_POINT_OPERATOR
    accounts.grant_role(user=marco, organisation=colonnine, role=role, at=clock.now(), by=SYSTEM)
    wish = {"url": receiver.url, "kinds": ["charging.session_ended"]}
    assert api(marco).post(ENDPOINTS, wish).status_code == 400
    made = api(marco).post(ENDPOINTS, wish | {"organisation": "colonnine"})
    assert made.json()["organisation"] == "colonnine"
    assert api(marco).post(ENDPOINTS, wish | {"organisation": "rivale"}).status_code == 400


def test_no_more_endpoints_than_anybody_can_watch(
    listen: Listen, api: Api, marco: User, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 1)
    listen()
    refused = api(marco).post(ENDPOINTS, {"url": receiver.url, "kinds": ["trip.ended"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_endpoints_full")


def test_while_secrets_rotate_both_sign(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    api: Api,
    marco: User,
) -> None:
    endpoint = listen()
    new = api(marco).post(address(endpoint, "rotate")).json()
    happen()
    deliver()
    now = int(clock.now().timestamp())
    got = receiver.received[-1]
    for secret in (endpoint["secret"], new["secret"]):
        assert rules.verify(secret=secret, headers=got.headers, body=got.body, now=now)
    happen()
    deliver(endpoints.OVERLAP + datetime.timedelta(minutes=1))
    now += int(endpoints.OVERLAP.total_seconds()) + 60
    got = receiver.received[-1]
    assert rules.verify(secret=new["secret"], headers=got.headers, body=got.body, now=now)
    assert not rules.verify(secret=endpoint["secret"], headers=got.headers, body=got.body, now=now)


def test_what_happens_during_a_pause_waits(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    api: Api,
    marco: User,
) -> None:
    endpoint = listen()
    assert api(marco).post(address(endpoint, "pause")).json()["state"] == "paused"
    happen(2)
    assert deliver() == 0
    assert (
        api(marco).post(address(endpoint, "ping")).json()["code"] == "webhook_endpoint_not_active"
    )
    assert api(marco).post(address(endpoint, "resume")).json()["state"] == "active"
    assert deliver() == 2


def test_a_ping_arrives_whatever_was_asked_for(
    listen: Listen, deliver: Deliver, receiver: Receiver, api: Api, marco: User
) -> None:
    endpoint = listen()
    sent = api(marco).post(address(endpoint, "ping"))
    assert sent.status_code == 202
    deliver()
    looked = api(marco).get(f"/api/v1/webhook-deliveries/{sent.json()['id']}").json()
    assert (looked["kind"], looked["state"], looked["last_status"]) == (
        mapping.PING,
        "delivered",
        204,
    )


def test_one_delivery_is_sent_again_under_its_id(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    api: Api,
    marco: User,
    rivale: User,
) -> None:
    listen()
    happen()
    deliver()
    row = WebhookDelivery.objects.get()
    again = f"/api/v1/webhook-deliveries/{row.public_id}/replay"
    assert api(rivale).post(again).status_code == 404
    assert api(marco).post(again).json()["state"] == "pending"
    deliver()
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_what_an_endpoint_missed_is_sent_again_for_a_time(
    listen: Listen,
    happen: Happen,
    deliver: Deliver,
    receiver: Receiver,
    api: Api,
    marco: User,
) -> None:
    endpoint, begun = listen(), clock.now()
    happen(2)
    receiver.reply = status(410)
    deliver()
    receiver.reply = status(204)
    happen(3)
    after = {"since": begun.isoformat(), "until": clock.now().isoformat()}
    replay = address(endpoint, "replay")
    assert api(marco).post(replay, after).json()["code"] == "webhook_endpoint_not_active"
    api(marco).post(address(endpoint, "resume"))
    sent = api(marco).post(replay, after)
    assert (sent.status_code, sent.json()) == (202, {"facts": 5})
    assert deliver() == 5
    listed = api(marco).get(address(endpoint, "deliveries"), {"state": "delivered"}).json()
    assert len(listed["results"]) == 5
    nothing = {"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"}
    assert api(marco).post(replay, nothing).json()["code"] == "webhook_range_refused"
    backwards = {"since": after["until"], "until": after["since"]}
    assert api(marco).post(replay, backwards).status_code == 400


def test_deliveries_are_found_by_state_and_kind_and_rubbish_is_refused(
    listen: Listen, happen: Happen, api: Api, marco: User
) -> None:
    endpoint = listen()
    happen()
    look = address(endpoint, "deliveries")
    assert len(api(marco).get(look, {"kind": "vehicle.life_changed"}).json()["results"]) == 1
    assert api(marco).get(look, {"state": "failed"}).json()["results"] == []
    assert api(marco).get(look, {"state": "lost"}).status_code == 400


def test_an_endpoint_is_changed_and_removed(
    listen: Listen, happen: Happen, deliver: Deliver, api: Api, marco: User
) -> None:
    endpoint = listen()
    changed = api(marco).patch(address(endpoint), {"kinds": ["trip.ended"], "description": "ERP"})
    assert (changed.json()["kinds"], changed.json()["description"]) == (["trip.ended"], "ERP")
    happen()
    assert deliver() == 0
    assert api(marco).delete(address(endpoint)).status_code == 204
    assert not WebhookEndpoint.objects.exists()
    assert AuditEntry.objects.filter(action="remove", by=marco.principal).exists()


def test_kinds_are_public_knowledge(api: Api) -> None:
    kinds = api(None).get("/api/v1/webhook-kinds").json()["kinds"]
    assert "trip.ended" in kinds
    assert len(kinds) == len(set(kinds))


def test_the_desk_adds_an_endpoint_and_shows_its_secret_once(
    marco: User, ruote: Any, receiver: Receiver, settings: Any
) -> None:
    desk = Client(headers={"accept-language": "en"})
    desk.force_login(marco)
    form: dict[str, Any] = {
        "organisation": ruote.pk,
        "url": receiver.url,
        "kinds": ["trip.ended", "payment.captured"],
        "description": "",
        "secrets-TOTAL_FORMS": 0,
        "secrets-INITIAL_FORMS": 0,
    }
    page = desk.post("/admin/mobility/webhookendpoint/add/", form, follow=True)
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.kinds == ["payment.captured", "trip.ended"]
    assert b"whsec_" in page.content
    change = f"/admin/mobility/webhookendpoint/{endpoint.pk}/change/"
    assert b"whsec_" not in desk.get(change).content
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    refused = desk.post(change, form | {"url": "https://127.0.0.1/"})
    assert refused.status_code == 200
    assert WebhookEndpoint.objects.get().url == receiver.url


def test_the_desk_sends_again_pauses_and_pings(
    listen: Listen, happen: Happen, deliver: Deliver, receiver: Receiver, marco: User
) -> None:
    listen()
    happen()
    deliver()
    desk = Client(headers={"accept-language": "en"})
    desk.force_login(marco)

    def act(page: str, row: Any, action: str) -> int:
        form = {"action": action, "_selected_action": [row.pk], "post": "yes"}
        return desk.post(f"/admin/mobility/{page}/", form, follow=True).status_code

    assert act("webhookdelivery", WebhookDelivery.objects.get(), "send_again") == 200
    assert act("webhookendpoint", WebhookEndpoint.objects.get(), "ping") == 200
    assert deliver() == 2
    assert act("webhookendpoint", WebhookEndpoint.objects.get(), "pause") == 200
    assert WebhookEndpoint.objects.get().state == "paused"
    assert desk.get("/admin/mobility/webhookdelivery/").status_code == 200
