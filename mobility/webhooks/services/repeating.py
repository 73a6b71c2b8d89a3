"""Sending once more: one delivery, all facts of a time, or a mere sign of life."""

import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from mobility.core import audit, ids
from mobility.core.errors import Invalid
from mobility.core.principals import Principal
from mobility.webhooks import mapping, queries
from mobility.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from mobility.webhooks.services.endpoints import EndpointNotActive
from mobility.webhooks.services.telling import put_again, put_in_line
from mobility.webhooks.states import EndpointState

# In one call; who wants more asks for the time in parts.
MOST_AT_ONCE = 1000


class NothingToRepeat(Invalid):
    """The time asked for is empty, too long or the wrong way round."""

    code = "webhook_range_refused"
    message = _(
        "Between these two instants must lie 1 to %(most)d facts of the kinds that the endpoint asks for."
    )


@transaction.atomic
def repeat_delivery(
    *, delivery: WebhookDelivery, at: datetime.datetime, by: Principal
) -> WebhookDelivery:
    """Send a delivery again, under the same `webhook-id`; raises `EndpointNotActive`."""
    _require_active(delivery.endpoint)
    put_again(deliveries=[delivery.pk], at=at)
    audit.record(by=by, action="repeat", row=delivery, at=at)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def repeat_range(
    *,
    endpoint: WebhookEndpoint,
    since: datetime.datetime,
    until: datetime.datetime,
    at: datetime.datetime,
    by: Principal,
) -> int:
    """Send again what happened from `since` until before `until`, heard or not; returns how many facts.

    Raises `EndpointNotActive` and `NothingToRepeat`.
    """
    _require_active(endpoint)
    facts = queries.messages_between(endpoint=endpoint, since=since, until=until)
    messages = list(facts.order_by("id").values_list("id", flat=True)[: MOST_AT_ONCE + 1])
    if not 0 < len(messages) <= MOST_AT_ONCE:
        raise NothingToRepeat(most=MOST_AT_ONCE)
    earlier = WebhookDelivery.objects.filter(endpoint=endpoint, message_id__in=messages)
    put_again(deliveries=list(earlier.values_list("id", flat=True)), at=at)
    put_in_line(endpoint_ids=[endpoint.pk], message_ids=messages, at=at)
    trace = {"since": since.isoformat(), "until": until.isoformat(), "facts": len(messages)}
    audit.record(by=by, action="repeat_range", row=endpoint, at=at, changes=trace)
    return len(messages)


@transaction.atomic
def ping(*, endpoint: WebhookEndpoint, at: datetime.datetime, by: Principal) -> WebhookDelivery:
    """Send a sign of life, whatever kinds the endpoint asks for; raises `EndpointNotActive`."""
    _require_active(endpoint)
    message = WebhookMessage.objects.create(
        event_id=ids.uuid7(),
        organisation_id=endpoint.organisation_id,
        kind=mapping.PING,
        at=at,
        data={"endpoint": str(endpoint.public_id)},
    )
    put_in_line(endpoint_ids=[endpoint.pk], message_ids=[message.pk], at=at)
    audit.record(by=by, action="ping", row=endpoint, at=at)
    return WebhookDelivery.objects.select_related("message", "endpoint").get(message=message)


def _require_active(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != EndpointState.ACTIVE:
        raise EndpointNotActive
