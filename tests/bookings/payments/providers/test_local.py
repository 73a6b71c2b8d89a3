"""The demonstration cards do what their names say, and tell it over HTTP like any provider."""

import datetime

import httpx
import pytest

from bookings.payments import tasks
from bookings.payments.models import (
    Anomaly,
    LedgerTransaction,
    LocalNotice,
    Payment,
    ProviderOperation,
    ProviderWebhook,
)
from bookings.payments.providers import ingest
from bookings.payments.providers.local import notices
from bookings.payments.providers.local.gateway import LocalProvider
from bookings.payments.providers.wire import (
    ActionRequired,
    Declined,
    EventKind,
    ProviderUnavailable,
)
from bookings.payments.queries import ledger_faults
from mobility.core import clock, ids
from tests.bookings.payments.conftest import line
from tests.bookings.races import at_once

pytestmark = pytest.mark.django_db
MINUTES = datetime.timedelta(minutes=1)


@pytest.fixture
def local(travel):
    return LocalProvider()


def promise(local, token="demo-ok", cents=500, key="k0"):
    return local.authorise(key=key, token=token, cents=cents, currency="EUR", at=clock.now())


def capture(local, reference, key="k1", cents=350):
    return local.capture(key=key, reference=reference, cents=cents, at=clock.now())


def test_a_delayed_capture_is_open_until_its_time_and_a_webhook_tells(local, travel):
    reference = promise(local, "demo-delayed").reference
    for _ask in range(2):
        with pytest.raises(ProviderUnavailable):
            capture(local, reference)
    (notice,) = LocalNotice.objects.all()
    assert (notice.kind, notice.send_at) == (EventKind.CAPTURED, clock.now() + MINUTES / 2)
    travel.shift(MINUTES)
    assert capture(local, reference) == reference
    lines = list(local.statement(since=clock.now() - MINUTES, until=clock.now()))
    assert [line.cents for line in lines] == [350]


def test_a_lapsed_promise_is_told_and_charged_anew_under_another_reference(local, travel):
    promised = promise(local, "demo-lapses")
    assert promised.expires_at == clock.now() + 60 * MINUTES
    assert LocalNotice.objects.get().kind == EventKind.LAPSED
    travel.shift(61 * MINUTES)
    with pytest.raises(Declined, match="promise_lapsed"):
        local.increase(key="k2", reference=promised.reference, cents=900, at=clock.now())
    place = capture(local, promised.reference)
    assert place != promised.reference
    assert capture(local, promised.reference) == place
    assert len(list(local.statement(since=clock.now(), until=clock.now() + MINUTES))) == 1


def test_a_lost_promise_is_the_same_when_asked_for_again(local):
    with pytest.raises(ProviderUnavailable):
        promise(local, "demo-promise-lost")
    assert promise(local, "demo-promise-lost") == promise(local, "demo-promise-lost")


def test_a_ride_asks_the_local_provider_in_three_statements(local, django_assert_num_queries):
    with django_assert_num_queries(1):
        reference = promise(local).reference
    with django_assert_num_queries(2):
        capture(local, reference)


def test_a_promise_is_raised_unless_the_card_does_not_let_it(local):
    reference = promise(local).reference
    raised = local.increase(key="k2", reference=reference, cents=900, at=clock.now())
    assert raised.reference == reference
    stubborn = promise(local, "demo-increase-fails", key="k3").reference
    with pytest.raises(Declined):
        local.increase(key="k4", reference=stubborn, cents=900, at=clock.now())


def test_cards_that_need_their_owner_pay_nothing_behind_their_back(local):
    for token, reason in (("demo-asks", "authentication_required"), ("demo-declined", "declined")):
        with pytest.raises(Declined, match=reason):
            local.recapture(key="k", token=token, cents=1, currency="EUR", at=clock.now())


@pytest.mark.parametrize(
    ("answer", "kind"), [("approve", EventKind.AUTHORISED), ("refuse", EventKind.FAILED)]
)
def test_the_bank_asks_the_person_once(answer, kind, local, client):
    with pytest.raises(ActionRequired) as asked:
        promise(local, "demo-asks", cents=1234)
    page = asked.value.action.url.removeprefix("http://127.0.0.1:8000")
    assert b"12.34" in client.get(page, headers={"Accept-Language": "en"}).content
    client.post(page, {"answer": answer})
    client.post(page, {"answer": "approve"})
    assert [notice.kind for notice in LocalNotice.objects.all()] == [kind]
    if answer == "approve":
        assert promise(local, "demo-asks").reference == asked.value.action.reference
    else:
        with pytest.raises(Declined, match="authentication_failed"):
            promise(local, "demo-asks")


def test_the_banks_page_opens_only_by_its_own_link_and_not_for_long(
    local, client, travel, settings
):
    with pytest.raises(ActionRequired) as asked:
        promise(local, "demo-asks")
    page = asked.value.action.url.removeprefix("http://127.0.0.1:8000")
    reference = asked.value.action.reference
    assert client.get(f"/demo-bank/{reference}/").status_code == 404
    assert client.get(page[:-3] + "xx/").status_code == 404
    settings.DEMO_PAYMENTS = False
    assert client.get(page).status_code == 404
    settings.DEMO_PAYMENTS = True
    travel.shift(16 * MINUTES)
    assert client.get(page).status_code == 404


# --- the door ---------------------------------------------------------------------------------------


def told(kind=EventKind.CAPTURED, *, reference="r", key="", event_id="evt_1"):
    """A notice as the local provider would post it."""
    at = clock.now()
    return LocalNotice(
        event_id=event_id, kind=kind, reference=reference, key=key, cents=350, at=at, send_at=at
    )


@pytest.fixture
def post(api):
    """`post(notice)` tells our door as the local provider, signed."""

    def tell(notice, **headers):
        body = notices.body_of(notice)
        signed = notices.signed(body, at=clock.now()) | headers
        return api(None).post(
            "/api/v1/payment-webhooks/local",
            data=body,
            content_type="application/json",
            headers=signed,
        )

    return tell


def test_an_event_told_three_times_is_kept_once(post, travel):
    for _delivery in range(3):
        assert post(told()).status_code == 204
    webhook = ProviderWebhook.objects.get()
    assert (webhook.deliveries, webhook.state) == (3, "received")


@pytest.mark.parametrize(
    "wrong", ["", "1777888800", "1777888800,beef", "nan,beef", "1777888800,ünsinn"]
)
def test_what_does_not_bear_the_providers_signature_is_not_kept(wrong, post, travel):
    refused = post(told(), **{notices.SIGNATURE_HEADER: wrong})
    assert (refused.status_code, refused.json()["code"]) == (400, "webhook_refused")
    assert not ProviderWebhook.objects.exists()


def test_an_old_delivery_somebody_recorded_is_refused(post, api, travel):
    body = notices.body_of(told())
    headers = notices.signed(body, at=clock.now())
    travel.shift(6 * MINUTES)
    refused = api(None).post(
        "/api/v1/payment-webhooks/local",
        data=body,
        content_type="application/json",
        headers=headers,
    )
    assert refused.json()["code"] == "webhook_refused"


def test_strange_providers_and_endless_bodies_are_turned_away(api, settings, post):
    phone = api(None)
    assert phone.post("/api/v1/payment-webhooks/nobody", {}).status_code == 404
    assert phone.post("/api/v1/payment-webhooks/stripe", {}).status_code == 404
    endless = phone.post("/api/v1/payment-webhooks/local", {"x": "y" * 300_000})
    assert (endless.status_code, endless.json()["code"]) == (413, "webhook_too_large")
    settings.DEMO_PAYMENTS = False
    assert post(told()).status_code == 404


def test_an_event_before_its_payment_waits_for_it(post, travel, ruote, giulia):
    public_id = ids.uuid7()
    post(told(key=f"{public_id}:capture:0"))
    assert tasks.hear_webhooks() == 1
    webhook = ProviderWebhook.objects.get()
    assert webhook.state == "unmatched"
    Payment.objects.create(
        public_id=public_id, organisation=ruote, payer=giulia, purpose="trip",
        purpose_ref=ids.uuid7(), authorised_cents=500, amount_cents=350, provider="local",
        provider_ref="r", state="capturing", created_at=clock.now(),
        next_attempt_at=clock.now() + 60 * MINUTES,
    )  # fmt: skip
    tasks.hear_webhooks()
    webhook.refresh_from_db()
    assert webhook.state == "matched"
    assert Payment.objects.get().next_attempt_at == clock.now()


def test_one_event_that_cannot_be_heard_keeps_no_others_waiting(post, travel, monkeypatch):
    post(told(reference="poison"))
    travel.shift(datetime.timedelta(seconds=1))
    post(told(EventKind.OTHER, event_id="evt_2"))
    hear = ingest._hear

    def resist(webhook, **terms):
        if webhook.reference == "poison":
            raise ZeroDivisionError
        return hear(webhook, **terms)

    monkeypatch.setattr(ingest, "_hear", resist)
    tasks.hear_webhooks()
    assert ProviderWebhook.objects.get(event_id="evt_2").state == "ignored"


def test_what_belongs_to_nobody_is_an_anomaly_after_an_hour(post, travel):
    post(told(reference="unheard of"))
    post(told(EventKind.FAILED, reference="unheard of", event_id="evt_2"))
    post(told(EventKind.OTHER, event_id="evt_3"))
    tasks.hear_webhooks()
    travel.shift(61 * MINUTES)
    tasks.hear_webhooks()
    states = ProviderWebhook.objects.order_by("event_id").values_list("state", flat=True)
    assert list(states) == ["reported", "ignored", "ignored"]
    anomaly = Anomaly.objects.get()
    assert (anomaly.kind, anomaly.stated_cents) == ("missing_at_us", 350)
    assert tasks.hear_webhooks() == 0


def test_heard_events_are_forgotten_and_anomalies_are_not(post, travel):
    for number, state in enumerate(("matched", "ignored", "reported", "unmatched")):
        post(told(event_id=f"evt_{number}"))
        ProviderWebhook.objects.filter(event_id=f"evt_{number}").update(state=state)
    told().save()
    LocalNotice.objects.update(sent_at=clock.now())
    assert tasks.forget_webhooks() == 0
    travel.shift(91 * 24 * 60 * MINUTES)
    assert tasks.forget_webhooks() == 3
    left = ProviderWebhook.objects.order_by("event_id").values_list("state", flat=True)
    assert list(left) == ["reported", "unmatched"]


# --- the whole way ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_webhooks_come_over_http_late_twice_and_out_of_order_and_each_payment_is_booked_once(
    live_server, settings, sell, giulia
):
    settings.PUBLIC_URL = live_server.url
    tokens = ("demo-delayed", "demo-webhook-twice", "demo-webhooks-shuffled", "demo-answer-lost")
    for token in tokens:
        sell(giulia, line(350), token=token)
    # The provider's time comes without anybody waiting for it.
    LocalNotice.objects.update(send_at=clock.now())
    ProviderOperation.objects.filter(outcome="pending").update(due_at=clock.now())
    assert tasks.send_local_webhooks() == 5
    tasks.hear_webhooks()
    # No webhook tells of the lost answer: the collector comes again by itself, a minute later.
    lost = Payment.objects.filter(method__token="demo-answer-lost")
    lost.update(next_attempt_at=clock.now())
    for _round in range(2):
        tasks.collect()
    assert set(Payment.objects.values_list("state", "captured_cents")) == {("captured", 350)}
    assert LedgerTransaction.objects.filter(deed="capture").count() == len(tokens)
    assert ledger_faults() == []
    heard = ProviderWebhook.objects.order_by("id").values_list("kind", "deliveries", "state")
    assert list(heard) == [
        ("captured", 1, "matched"),
        ("captured", 2, "matched"),
        ("captured", 1, "matched"),
        ("authorised", 1, "matched"),
    ]
    # And four deliveries of one event at the same moment, each by a web worker of its own.
    notice = told(EventKind.OTHER, event_id="evt_at_once")
    body = notices.body_of(notice)
    door = f"{live_server.url}/api/v1/payment-webhooks/local"
    headers = notices.signed(body, at=clock.now())
    answers = at_once([lambda: httpx.post(door, content=body, headers=headers).status_code] * 4)
    assert answers == [204] * 4
    assert ProviderWebhook.objects.get(event_id="evt_at_once").deliveries == 4


def test_a_closed_door_is_knocked_at_again(travel, settings):
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    told().save()
    assert tasks.send_local_webhooks() == 0
    notice = LocalNotice.objects.get()
    assert (notice.attempts, notice.sent_at) == (1, None)
    assert notice.send_at > clock.now()
