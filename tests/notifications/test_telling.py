"""Giulia's phone rings for what she chose; a push service stands in over real HTTP."""

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import TestCase
from rest_framework.test import APIClient

from mobility.accounts import privacy
from mobility.accounts.models import User
from mobility.core import clock
from mobility.core.principals import SYSTEM
from mobility.notifications import keys, rules, services, wire
from mobility.notifications.models import Notification, PushDelivery, PushDevice
from mobility.notifications.states import Channel, Topic
from tests.notifications.browser import Subscription
from tests.webhooks.receiver import Receiver, status

Api = Callable[[User | None], APIClient]
pytestmark = pytest.mark.django_db
DEVICES = "/api/v1/me/push-devices"
CHROME = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"


@pytest.fixture(autouse=True)
def own_key(settings: Any) -> None:
    settings.PUSH_KEY = wire.new_private_key()
    settings.PUSH_ALLOW_PRIVATE = True


@pytest.fixture
def service() -> Iterator[Receiver]:
    """A push service."""
    receiver = Receiver()
    receiver.reply = status(201)
    yield receiver
    receiver.close()


def subscribe(client: APIClient, subscription: Subscription) -> Any:
    return client.post(DEVICES, subscription.as_json(), HTTP_USER_AGENT=CHROME)


def tell(user: User, *, ref: str = "due:1", topic: str = Topic.MONEY, at: Any = None) -> bool:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return services.tell(
            principal=user.principal,
            topic=topic,
            ref=ref,
            subject=lambda: "A payment is still open",
            body=lambda: "Pay here:\nhttps://city.example/pay/secret",
            short=lambda: "€4.20 could not be collected.",
            path="/wallet/",
            at=at or clock.now(),
        )


def test_a_phone_shows_what_was_told_and_nobody_on_the_way_reads_it(
    giulia: User, api: Api, service: Receiver
) -> None:
    phone = Subscription(service.url)
    answer = subscribe(api(giulia), phone)
    assert answer.status_code == 201, answer.content
    assert answer.json()["name"] == "Chrome · Android"

    assert tell(giulia)
    services.deliver_due(at=clock.now())

    (arrived,) = service.received
    assert phone.read(arrived.body) == {
        "title": "A payment is still open",
        "body": "€4.20 could not be collected.",
        "path": "/wallet/",
        "tag": "/wallet/",
        "lang": "en",
    }
    assert arrived.headers["content-encoding"] == "aes128gcm"
    assert arrived.headers["authorization"].startswith("vapid t=")
    assert keys.application_key() in arrived.headers["authorization"]
    assert 0 < int(arrived.headers["ttl"]) <= 86_400
    assert len(arrived.headers["topic"]) == 32
    (letter,) = mail.outbox
    assert "https://city.example/pay/secret" in letter.body
    assert PushDelivery.objects.get().sent_at
    assert PushDevice.objects.get().reached_at


def test_the_same_fact_found_twice_is_told_once(giulia: User, api: Api, service: Receiver) -> None:
    subscribe(api(giulia), Subscription(service.url))

    assert tell(giulia)
    assert not tell(giulia)
    services.deliver_due(at=clock.now())
    services.deliver_due(at=clock.now())

    assert len(service.received) == len(mail.outbox) == 1


def test_people_choose_for_each_topic_in_which_way(
    giulia: User, api: Api, service: Receiver
) -> None:
    client = api(giulia)
    subscribe(client, Subscription(service.url))
    named = [
        {"topic": "booking", "channel": "push", "wanted": False},
        {"topic": "money", "channel": "mail", "wanted": False},
    ]
    answer = client.put("/api/v1/me/notification-choices", {"results": named})
    chosen = {(one["topic"], one["channel"]): one for one in answer.json()["results"]}

    assert len(chosen) == len(Topic) * len(Channel)
    assert chosen["booking", "push"]["wanted"] is False
    assert chosen["money", "mail"] == {
        "topic": "money", "channel": "mail", "wanted": True, "always": True,
    }  # fmt: skip
    tell(giulia, topic=Topic.BOOKING)
    services.deliver_due(at=clock.now())
    assert service.received == []
    assert len(mail.outbox) == 1


def test_a_subscription_that_is_no_more_goes(giulia: User, api: Api, service: Receiver) -> None:
    subscribe(api(giulia), Subscription(service.url))
    service.reply = status(410)
    tell(giulia)

    services.deliver_due(at=clock.now())

    assert not PushDevice.objects.exists()
    assert not PushDelivery.objects.exists()
    assert Notification.objects.count() == 1


def test_a_busy_push_service_is_asked_again_when_it_says_until_the_moment_has_passed(
    giulia: User, api: Api, service: Receiver
) -> None:
    subscribe(api(giulia), Subscription(service.url))
    service.reply = status(503, Retry_After="40")
    at = clock.now()
    tell(giulia, topic=Topic.HOLD, at=at)

    assert services.deliver_due(at=at) == 1
    assert services.deliver_due(at=at + datetime.timedelta(seconds=39)) == 0
    service.reply = status(201)
    assert services.deliver_due(at=at + datetime.timedelta(seconds=41)) == 1
    assert PushDelivery.objects.get().attempts == 2

    service.reply = status(503)
    tell(giulia, topic=Topic.HOLD, ref="another", at=at)
    services.deliver_due(at=at)
    assert services.deliver_due(at=at + rules.good_for(Topic.HOLD)) == 0


def test_what_a_push_service_calls_wrong_is_not_sent_again(
    giulia: User, api: Api, service: Receiver
) -> None:
    subscribe(api(giulia), Subscription(service.url))
    service.reply = status(403)
    tell(giulia)

    services.deliver_due(at=clock.now())

    delivery = PushDelivery.objects.get()
    assert (delivery.next_attempt_at, delivery.last_status) == (None, 403)
    assert PushDevice.objects.get().failures == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://push.example/1",
        "https://127.0.0.1/1",
        "https://169.254.169.254/latest/meta-data",
        "https://user:word@push.example/1",
        "https://localhost/1",
        "file:///etc/passwd",
    ],
)
def test_no_device_makes_us_call_our_own_network(
    giulia: User, api: Api, settings: Any, address: str
) -> None:
    settings.PUSH_ALLOW_PRIVATE = False
    answer = subscribe(api(giulia), Subscription(address))

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_device")


def test_a_name_that_leads_inside_is_not_called(
    giulia: User, api: Api, settings: Any, service: Receiver
) -> None:
    """The address was judged when it was added; where it leads is judged when it is called."""
    subscribe(api(giulia), Subscription(service.url))
    settings.PUSH_ALLOW_PRIVATE = False
    tell(giulia)

    services.deliver_due(at=clock.now())

    assert service.received == []
    assert PushDelivery.objects.get().last_failure == "address_forbidden"


def test_a_browser_tells_whoever_signed_in_there_last(
    giulia: User, piero: User, api: Api, service: Receiver
) -> None:
    shared = Subscription(service.url)
    subscribe(api(giulia), shared)
    subscribe(api(piero), shared)

    tell(giulia)
    services.deliver_due(at=clock.now())

    assert service.received == []
    assert PushDevice.objects.get().user == piero


def test_whoever_signs_in_there_next_is_not_told_what_waits_for_somebody_else(
    giulia: User, piero: User, api: Api, service: Receiver
) -> None:
    shared, at = Subscription(service.url), clock.now()
    subscribe(api(giulia), shared)
    service.reply = status(503)
    tell(giulia, at=at)
    services.deliver_due(at=at)
    first = len(service.received)
    subscribe(api(piero), shared)

    service.reply = status(201)
    services.deliver_due(at=at + datetime.timedelta(minutes=1))

    assert len(service.received) == first
    assert not PushDelivery.objects.exists()


def test_devices_outlive_an_hour_in_which_nothing_gets_out(
    giulia: User, api: Api, service: Receiver
) -> None:
    subscribe(api(giulia), Subscription(service.url))
    service.reply, at = status(503), clock.now()
    for number in range(services.delivering.MOST_FAILURES // 4):
        tell(giulia, ref=f"due:{number}", at=at)
    for seconds in (0, 6, 40, 170, 800):
        services.deliver_due(at=at + datetime.timedelta(seconds=seconds))

    assert PushDelivery.objects.filter(attempts=5).count() == 5
    assert PushDevice.objects.get().failures == 0
    services.deliver_due(at=at + datetime.timedelta(hours=2))
    assert PushDevice.objects.get().failures == 5


def test_of_too_many_devices_the_oldest_goes(giulia: User, api: Api, service: Receiver) -> None:
    client = api(giulia)
    for number in range(rules.MOST_DEVICES + 1):
        assert subscribe(client, Subscription(f"{service.url}&{number}")).status_code == 201

    addresses = set(PushDevice.objects.values_list("endpoint", flat=True))
    assert len(addresses) == rules.MOST_DEVICES
    assert f"{service.url}&0" not in addresses


def test_devices_are_ones_own_to_see_and_to_remove(
    giulia: User, piero: User, api: Api, service: Receiver
) -> None:
    own = subscribe(api(giulia), Subscription(service.url)).json()
    assert api(piero).get(DEVICES).json()["results"] == []
    assert api(piero).delete(f"{DEVICES}/{own['id']}").status_code == 404
    assert api(giulia).get(DEVICES).json()["application_key"] == keys.application_key()
    assert api(giulia).delete(f"{DEVICES}/{own['id']}").status_code == 204
    assert not PushDevice.objects.exists()


def test_without_a_key_nothing_is_offered(
    giulia: User, api: Api, settings: Any, service: Receiver, tmp_path: Path
) -> None:
    settings.PUSH_KEY, settings.PUSH_KEY_FILE = "", tmp_path / "none"
    answer = subscribe(api(giulia), Subscription(service.url))

    assert (answer.status_code, answer.json()["code"]) == (409, "push_is_off")
    assert api(giulia).get(DEVICES).json()["application_key"] == ""
    assert services.deliver_due(at=clock.now()) == 0


def test_the_key_is_made_once_and_is_the_owners_alone(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.PUSH_KEY, settings.PUSH_KEY_FILE = "", tmp_path / "new" / "push-key"
    call_command("push_keys")
    call_command("push_keys")

    first, second = capsys.readouterr().out.split()
    assert first == second == keys.application_key()
    assert settings.PUSH_KEY_FILE.stat().st_mode & 0o777 == 0o600


def test_what_was_told_can_be_read_and_is_forgotten_after_a_month(giulia: User, api: Api) -> None:
    tell(giulia)
    (told,) = api(giulia).get("/api/v1/me/notifications").json()["results"]
    assert (told["title"], told["path"]) == ("A payment is still open", "/wallet/")

    assert services.forget_old(at=clock.now() + datetime.timedelta(days=29)) == 0
    assert services.forget_old(at=clock.now() + datetime.timedelta(days=31)) == 1


def test_a_person_takes_it_along_and_it_goes_with_them(
    giulia: User, api: Api, service: Receiver
) -> None:
    subscribe(api(giulia), Subscription(service.url))
    tell(giulia)
    room = privacy.rooms()["notifications"]
    copy = room.export(user=giulia)

    assert copy["devices"][0]["name"] == "Chrome · Android"
    assert service.url not in str(copy)
    room.erase(user=giulia, nobody=giulia, at=clock.now(), by=SYSTEM)
    assert not PushDevice.objects.exists()
    assert not Notification.objects.exists()
