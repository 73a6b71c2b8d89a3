"""From a fact of the house to one delivery for every endpoint that asked for it."""

import datetime

from django.db import connection

from mobility.core import jobs
from mobility.core.ids import uuid7
from mobility.core.outbox import Fact
from mobility.webhooks import mapping
from mobility.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from mobility.webhooks.states import EndpointState

DELIVER = "mobility.webhooks.deliver"
# A delivery is put once in line for an endpoint, also by two that tell the same fact at once.
_INSERT = """
INSERT INTO mobility_webhookdelivery
    (public_id, endpoint_id, message_id, created_at, next_attempt_at, attempts, last_failure)
VALUES (%s, %s, %s, %s, %s, 0, '') ON CONFLICT (endpoint_id, message_id) DO NOTHING
"""


def tell_endpoints(*, fact: Fact, at: datetime.datetime) -> int:
    """Put `fact` in line for the endpoints of its organisation that want it; returns for how many.

    1. Find out whose fact it is, and what may be said of it.
    2. Keep that as a message if any endpoint of theirs asks for its kind; what a disabled one misses
       can be repeated later.
    3. A delivery for each that is active or paused. Telling the same fact again adds nothing.
    """
    kind = mapping.kind_of(fact.name)
    told = mapping.tell(event_name=fact.name, payload=fact.payload) if kind else None
    if kind is None or told is None:
        return 0
    theirs = WebhookEndpoint.objects.filter(organisation_id=told.organisation_id).wanting(kind)
    endpoints = list(theirs.only("id", "state"))
    if not endpoints:
        return 0
    message, _created = WebhookMessage.objects.get_or_create(
        event_id=fact.event_id,
        defaults={
            "organisation_id": told.organisation_id,
            "kind": kind,
            "at": fact.at,
            "data": told.data,
        },
    )
    hearing = [one.pk for one in endpoints if one.state != EndpointState.DISABLED]
    return put_in_line(endpoint_ids=hearing, message_ids=[message.pk], at=at)


def put_in_line(*, endpoint_ids: list[int], message_ids: list[int], at: datetime.datetime) -> int:
    """A delivery of every message to every endpoint, due now; those that exist stay as they are."""
    pairs = [(endpoint, message) for endpoint in endpoint_ids for message in message_ids]
    if not pairs:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, [(uuid7(), *pair, at, at) for pair in pairs])
        added = int(cursor.rowcount)
    jobs.enqueue(DELIVER)
    return added


def put_again(*, deliveries: "list[int]", at: datetime.datetime) -> int:
    """Deliveries as if they had never been tried, due now; under the id that they had."""
    again = WebhookDelivery.objects.filter(pk__in=deliveries).update(
        next_attempt_at=at, attempts=0, delivered_at=None, given_up_at=None, last_failure=""
    )
    jobs.enqueue(DELIVER)
    return again
