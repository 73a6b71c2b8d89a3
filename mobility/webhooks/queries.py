"""Reading webhooks: who wants which facts, and what is due."""

import datetime
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import connection

from mobility.core.remembering import Remembered
from mobility.webhooks import rules
from mobility.webhooks.mapping import KINDS
from mobility.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage, WebhookSecret

# How long a process goes by what it knows of endpoints. A new one hears of facts after that at the latest.
KNOWN_FOR_S = 3.0

# Of every endpoint that takes facts, the oldest due deliveries: few of those that fail. The first of
# each come before the second of any, so that a long queue of one keeps nobody waiting.
_DUE = """
SELECT due.id FROM mobility_webhookendpoint endpoint CROSS JOIN LATERAL (
    SELECT id, row_number() OVER (ORDER BY next_attempt_at, id) AS place
    FROM mobility_webhookdelivery
    WHERE endpoint_id = endpoint.id AND next_attempt_at <= %s::timestamptz
    ORDER BY next_attempt_at, id
    LIMIT CASE WHEN endpoint.failures > 0 THEN %s::int ELSE %s::int END
) due
WHERE endpoint.state = 'active' AND endpoint.id <> ALL (%s::bigint[])
ORDER BY due.place, due.id LIMIT %s::int
"""


def is_wanted(event_name: str) -> bool:
    """Whether any endpoint asked for the facts of this name; from memory, a few seconds old at most."""
    return event_name in _wanted_names()


def forget_wishes() -> None:
    """Ask the table again next time: this process has just changed it."""
    _wanted_names.forget()


def _read_wanted() -> frozenset[str]:
    wishes = WebhookEndpoint.objects.values_list("kinds", flat=True)
    wanted = {kind for kinds in wishes for kind in kinds}
    return frozenset(name for name, (kind, _) in KINDS.items() if kind in wanted)


_wanted_names = Remembered(_read_wanted, seconds=KNOWN_FOR_S)


def due(
    *, at: datetime.datetime, limit: int, each: int, each_failing: int, full: Collection[int]
) -> list[int]:
    """Ids of deliveries whose time has come, fairly among endpoints that are not `full`."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [at, each_failing, each, list(full), limit])
        return [row[0] for row in cursor.fetchall()]


def secrets_of(*, endpoint_ids: Collection[int], at: datetime.datetime) -> dict[int, list[str]]:
    """The secrets that sign for each endpoint now, the newest first."""
    found: dict[int, list[str]] = {}
    rows = WebhookSecret.objects.filter(endpoint_id__in=endpoint_ids).valid_at(at).order_by("-id")
    for row in rows:
        secret = _derived(row)
        if secret is not None:
            found.setdefault(row.endpoint_id, []).append(secret)
    return found


def _derived(row: WebhookSecret) -> str | None:
    """The secret behind a row, by whichever of the house's keys it was made with."""
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        secret = rules.derive_secret(key=key, salt=row.salt)
        if rules.fingerprint(secret) == row.fingerprint:
            return secret
    return None


def deliveries(*, endpoint: WebhookEndpoint) -> Any:
    """An endpoint's deliveries with their messages."""
    return WebhookDelivery.objects.filter(endpoint=endpoint).select_related("message", "endpoint")


def messages_between(
    *, endpoint: WebhookEndpoint, since: datetime.datetime, until: datetime.datetime
) -> Any:
    """The facts of a time that the endpoint asks for now, whether it heard of them or not."""
    return WebhookMessage.objects.filter(
        organisation_id=endpoint.organisation_id,
        kind__in=endpoint.kinds,
        at__gte=since,
        at__lt=until,
    )
