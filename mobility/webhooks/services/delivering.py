"""The delivery round: claim what is due, send it all at once, book what comes back as it comes.

1. One round at a time runs in the house (advisory lock); beat calls again every few seconds.
2. A claim counts the attempt and puts the next one a lease away, and commits before anything is sent:
   whoever is killed between sending and booking sends again later, under the same `webhook-id`.
3. At most `AT_ONCE` parcels are under way, few of them to one endpoint, and one to an endpoint that
   fails: a slow receiver fills its own places and nobody else's.
"""

import datetime
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, wait

import orjson
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from mobility.core import locks, outbox, sweeps
from mobility.core.courier import TIMEOUT_S, Courier, Failure, Outcome, Parcel
from mobility.core.principals import system_principal
from mobility.core.transitions import LostRace, move
from mobility.webhooks import queries, rules
from mobility.webhooks.events import WebhookDisabled
from mobility.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from mobility.webhooks.states import EndpointState

log = structlog.get_logger(__name__)

AT_ONCE = 64
EACH = 4
EACH_FAILING = 1
# A round that has work goes on for this long before it lets another process have the worker.
ROUND_S = 20.0
# How often a round looks for new work while it waits for slow receivers.
LOOK_AGAIN_S = 0.25
LEASE = datetime.timedelta(seconds=3 * TIMEOUT_S)
KEEP = datetime.timedelta(days=30)
FORGET_AT_ONCE = 5_000
GONE = 410
COURIER = system_principal("webhooks")

Flights = dict[Future[Outcome], Parcel]


def deliver_due(*, at: datetime.datetime, round_s: float = ROUND_S) -> int:
    """Send what is due for up to `round_s` seconds and book every answer; returns how many went out."""
    with locks.try_advisory("mobility.webhooks.deliver") as mine:
        if not mine:
            return 0
        with Courier(allow_private=settings.WEBHOOKS_ALLOW_PRIVATE) as courier:
            return _round(courier, at=at, round_s=round_s)


def _round(courier: Courier, *, at: datetime.datetime, round_s: float) -> int:
    begun, sent = time.monotonic(), 0
    flights: Flights = {}
    while True:
        passed = time.monotonic() - begun
        now = at + datetime.timedelta(seconds=passed)
        parcels = _claim(flights, at=now) if passed < round_s else []
        flights |= {courier.send(parcel): parcel for parcel in parcels}
        sent += len(parcels)
        if not flights:
            return sent
        done, _still = wait(flights, timeout=LOOK_AGAIN_S, return_when=FIRST_COMPLETED)
        for future in done:
            _book(flights.pop(future), future.result(), at=now)


def _claim(flights: Flights, *, at: datetime.datetime) -> list[Parcel]:
    """Parcels to send now, each counted as an attempt and leased to this round."""
    under_way = Counter(parcel.endpoint_id for parcel in flights.values())
    full = [endpoint_id for endpoint_id, count in under_way.items() if count >= EACH]
    ids = queries.due(
        at=at, limit=AT_ONCE - len(flights), each=EACH, each_failing=EACH_FAILING, full=full
    )
    if not ids:
        return []
    rows = (
        WebhookDelivery.objects.filter(pk__in=ids)
        .select_related("endpoint", "message")
        .order_by("pk")
    )
    secrets = queries.secrets_of(endpoint_ids={row.endpoint_id for row in rows}, at=at)
    _put_off([row for row in rows if row.endpoint_id not in secrets], at=at)
    signed = [row for row in rows if row.endpoint_id in secrets]
    taken = [row for row in signed if _has_room(row.endpoint, under_way)]
    with transaction.atomic():
        WebhookDelivery.objects.filter(pk__in=[row.pk for row in taken]).update(
            next_attempt_at=at + LEASE, attempts=F("attempts") + 1, last_attempt_at=at
        )
    return [_parcel(row, secrets=secrets[row.endpoint_id], at=at) for row in taken]


def _put_off(rows: list[WebhookDelivery], *, at: datetime.datetime) -> None:
    """The house's key was changed without keeping the old one: unsigned, nothing leaves.

    No attempt was made and none is counted; it waits for the old key or for a new secret.
    """
    if not rows:
        return
    log.error("webhooks.no_secret", endpoints=sorted({str(row.endpoint.public_id) for row in rows}))
    unsigned = WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows])
    unsigned.update(next_attempt_at=at + LEASE)


def _has_room(endpoint: WebhookEndpoint, under_way: Counter[int]) -> bool:
    """Whether one more may be under way to this endpoint; counts it if so."""
    most = EACH_FAILING if endpoint.failures else EACH
    if under_way[endpoint.pk] >= most:
        return False
    under_way[endpoint.pk] += 1
    return True


def _parcel(row: WebhookDelivery, *, secrets: list[str], at: datetime.datetime) -> Parcel:
    body = orjson.dumps(row.message.body())
    headers = rules.headers(
        secrets=secrets,
        message_id=str(row.message.event_id),
        timestamp=int(at.timestamp()),
        body=body,
    )
    return Parcel(
        delivery_id=row.pk,
        endpoint_id=row.endpoint_id,
        url=row.endpoint.url,
        headers=headers,
        body=body,
    )


@transaction.atomic
def _book(parcel: Parcel, outcome: Outcome, *, at: datetime.datetime) -> None:
    """Write down what became of an attempt; nothing if somebody removed the delivery meanwhile."""
    delivery = (
        WebhookDelivery.objects.select_for_update(of=("self",))
        .filter(pk=parcel.delivery_id)
        .first()
    )
    if delivery is None or delivery.delivered_at or delivery.given_up_at:
        return
    delivery.last_status, delivery.last_ms = outcome.status, outcome.ms
    delivery.last_failure = outcome.failure
    endpoint = WebhookEndpoint.objects.filter(pk=parcel.endpoint_id)
    if not outcome.failure:
        delivery.delivered_at, delivery.next_attempt_at = at, None
        delivery.save()
        endpoint.filter(failures__gt=0).update(failures=0, failing_since=None)
        return
    pause = rules.pause_after(
        delivery.attempts,
        # The golden ratio spreads neighbours evenly.
        jitter=delivery.pk * 0.618034 % 1.0,
        wish_s=outcome.wish_s,
    )
    delivery.next_attempt_at = None if pause is None else at + pause
    delivery.given_up_at = at if pause is None else None
    delivery.save()
    endpoint.update(failures=F("failures") + 1, failing_since=Coalesce("failing_since", at))
    _judge(endpoint.get(), outcome, at=at)


def _judge(endpoint: WebhookEndpoint, outcome: Outcome, *, at: datetime.datetime) -> None:
    """Disable an endpoint that said it is gone, or that took nothing for days."""
    patience = datetime.timedelta(days=settings.WEBHOOKS_DISABLE_AFTER_DAYS)
    lost = endpoint.failing_since is not None and at - endpoint.failing_since >= patience
    if endpoint.state == EndpointState.DISABLED or not (lost or outcome.status == GONE):
        return
    reason = "gone" if outcome.status == GONE else "failing"
    try:
        move(endpoint, to=EndpointState.DISABLED, at=at, by=COURIER, disabled_reason=reason)
    except LostRace:
        return  # somebody has just paused or resumed it, and will see
    WebhookDelivery.objects.filter(endpoint=endpoint, next_attempt_at__isnull=False).update(
        next_attempt_at=None, given_up_at=at, last_failure=Failure.ENDPOINT_DISABLED
    )
    outbox.publish(WebhookDisabled(endpoint_id=str(endpoint.public_id), reason=reason), at=at)


def forget_old(*, at: datetime.datetime) -> int:
    """Drop messages of more than 30 days ago with their deliveries, a batch at a time; returns how many."""
    old = WebhookMessage.objects.filter(at__lt=at - KEEP).order_by("id")
    return sweeps.delete_in_portions(old, at_once=FORGET_AT_ONCE)
