"""The round of push messages: claim what is due, send it at once, book what push services answer.

A claim counts the attempt and puts the next one a lease away, and commits before anything is sent:
whoever is killed in between sends again, and the device shows the same notification in its place.
"""

import datetime
from email.utils import parseaddr

from django.conf import settings
from django.db import transaction
from django.db.models import F

from mobility.core import locks, sweeps
from mobility.core.courier import TIMEOUT_S, Courier, Outcome, Parcel
from mobility.notifications import keys, rules, wire
from mobility.notifications.models import Notification, PushDelivery, PushDevice
from mobility.notifications.states import Topic

AT_ONCE = 100
LEASE = datetime.timedelta(seconds=3 * TIMEOUT_S)
KEEP = datetime.timedelta(days=30)
FORGET_AT_ONCE = 5_000
URGENT = frozenset({Topic.HOLD, Topic.RIDE, Topic.CHARGING})
# A device that so many messages in a row were given up for will not come back; single attempts do not
# count, or an hour without a network would cost everybody their devices.
MOST_FAILURES = 20
# These say that the message is wrong, not that the service is busy: trying again changes nothing.
FINAL = frozenset({400, 401, 403, 413})


def deliver_due(*, at: datetime.datetime) -> int:
    """Send what is due now and book every answer; returns how many messages went out."""
    if keys.own_key() is None:
        return 0
    sent = 0
    with locks.try_advisory("mobility.notifications.deliver") as mine:
        if not mine:
            return 0
        with Courier(allow_private=settings.PUSH_ALLOW_PRIVATE) as courier:
            while rows := _claim(at=at):
                flights = [(row, courier.send(_parcel(row, at=at))) for row in rows]
                for row, flight in flights:
                    _book(row, flight.result(), at=at)
                sent += len(rows)
    return sent


def _claim(*, at: datetime.datetime) -> list[PushDelivery]:
    """Deliveries to send now; those whose moment has passed are over."""
    late = PushDelivery.objects.filter(next_attempt_at__isnull=False, good_until__lte=at)
    late.update(next_attempt_at=None)
    with transaction.atomic():
        rows = list(
            PushDelivery.objects.due(at)
            .select_related("notification__user", "device")
            .select_for_update(of=("self",), skip_locked=True)[:AT_ONCE]
        )
        PushDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(
            next_attempt_at=at + LEASE, attempts=F("attempts") + 1
        )
    for row in rows:
        row.attempts += 1
    return rows


def _parcel(row: PushDelivery, *, at: datetime.datetime) -> Parcel:
    told, device, key = row.notification, row.device, keys.own_key()
    if key is None:
        raise RuntimeError("the key for web push went away during a round")
    message = wire.Message(
        title=told.title,
        body=told.body,
        path=told.path,
        # What is told about the same page later replaces what was told before.
        tag=told.path,
        lang=told.user.language,
    )
    contact = f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"
    return Parcel(
        delivery_id=row.pk,
        endpoint_id=device.pk,
        url=device.endpoint,
        headers=wire.headers(
            authorization=wire.voucher(endpoint=device.endpoint, key=key, contact=contact, at=at),
            ttl=row.good_until - at,
            urgent=told.topic in URGENT,
            tag=told.path,
        ),
        body=wire.encrypt(message.as_json(), p256dh=device.p256dh, auth=device.auth),
    )


@transaction.atomic
def _book(row: PushDelivery, outcome: Outcome, *, at: datetime.datetime) -> None:
    """Write down what became of an attempt; a subscription that is no more goes with all that waits."""
    device = PushDevice.objects.filter(pk=row.device_id)
    if outcome.status in rules.GONE:
        device.delete()
        return
    mine = PushDelivery.objects.filter(pk=row.pk)
    if not outcome.failure:
        mine.update(sent_at=at, next_attempt_at=None, last_status=outcome.status, last_failure="")
        device.update(reached_at=at, failures=0)
        return
    pause = rules.pause_after(row.attempts, wish_s=outcome.wish_s)
    over = pause is None or outcome.status in FINAL
    mine.update(
        next_attempt_at=None if over or pause is None else at + pause,
        last_status=outcome.status,
        last_failure=outcome.failure,
    )
    if not over:
        return
    device.update(failures=F("failures") + 1)
    device.filter(failures__gte=MOST_FAILURES).delete()


def forget_old(*, at: datetime.datetime) -> int:
    """Drop what was told more than 30 days ago, a batch at a time; returns how many."""
    old = Notification.objects.filter(at__lt=at - KEEP).order_by("at")
    return sweeps.delete_in_portions(old, at_once=FORGET_AT_ONCE)
