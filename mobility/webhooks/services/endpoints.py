"""Endpoints: adding, changing, pausing, removing, and changing their secrets."""

import datetime
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from mobility.core import audit, courier, ids, locks
from mobility.core.errors import Conflict, Invalid
from mobility.core.principals import Principal
from mobility.core.transitions import move
from mobility.webhooks import mapping, queries, rules
from mobility.webhooks.models import WebhookEndpoint, WebhookSecret
from mobility.webhooks.states import EndpointState

# Enough for every program of an organisation, and few enough that none is forgotten.
MOST_ENDPOINTS = 20
# How long the old secret signs beside the new one: a day to change it over.
OVERLAP = datetime.timedelta(hours=24)


class UrlRefused(Invalid):
    """Nothing may be sent to such an address."""

    code = "webhook_url_refused"
    message = _("Give a public https address, without a user name, a password or a # part.")


class UnknownKind(Invalid):
    """There is no such kind of fact."""

    code = "webhook_kind_unknown"
    message = _("These kinds of facts do not exist: %(kinds)s.")


class TooManyEndpoints(Conflict):
    """An organisation has as many endpoints as it may."""

    code = "webhook_endpoints_full"
    message = _("There are %(most)d endpoints already. Remove one that is not used.")


class EndpointNotActive(Conflict):
    """Nothing goes to this endpoint at present."""

    code = "webhook_endpoint_not_active"
    message = _("This endpoint is paused or disabled. Resume it first.")


@transaction.atomic
def add_endpoint(
    *,
    organisation_id: int,
    url: str,
    kinds: Sequence[str],
    description: str,
    at: datetime.datetime,
    by: Principal,
) -> tuple[WebhookEndpoint, str]:
    """Tell facts of these kinds to `url` from now on; the secret that signs them is returned this once.

    Raises `UrlRefused`, `UnknownKind` and `TooManyEndpoints`.
    """
    require_target(url)
    # Two that come at once must not both find the last free place.
    locks.advisory(f"webhooks:{organisation_id}")
    if WebhookEndpoint.objects.filter(organisation_id=organisation_id).count() >= MOST_ENDPOINTS:
        raise TooManyEndpoints(most=MOST_ENDPOINTS)
    endpoint = WebhookEndpoint.objects.create(
        organisation_id=organisation_id,
        url=url,
        kinds=_known(kinds),
        description=description,
        created_at=at,
    )
    audit.record(by=by, action="add", row=endpoint, at=at, changes={"url": url})
    transaction.on_commit(queries.forget_wishes)
    return endpoint, _new_secret(endpoint, at=at)


@transaction.atomic
def change_endpoint(
    *, endpoint: WebhookEndpoint, at: datetime.datetime, by: Principal, **changes: Any
) -> WebhookEndpoint:
    """Write a new `url`, `kinds` or `description`; raises `UrlRefused` and `UnknownKind`."""
    if "url" in changes:
        require_target(changes["url"])
    if "kinds" in changes:
        changes["kinds"] = _known(changes["kinds"])
    for name, value in changes.items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=list(changes))
    audit.record(by=by, action="change", row=endpoint, at=at, changes=changes)
    transaction.on_commit(queries.forget_wishes)
    return endpoint


@transaction.atomic
def pause_endpoint(
    *, endpoint: WebhookEndpoint, at: datetime.datetime, by: Principal
) -> WebhookEndpoint:
    """Hold facts back until the endpoint is resumed; again changes nothing."""
    if endpoint.state == EndpointState.PAUSED:
        return endpoint
    return move(endpoint, to=EndpointState.PAUSED, at=at, by=by)


@transaction.atomic
def resume_endpoint(
    *, endpoint: WebhookEndpoint, at: datetime.datetime, by: Principal
) -> WebhookEndpoint:
    """Let facts go again, with the failures of before forgotten; again changes nothing."""
    if endpoint.state == EndpointState.ACTIVE:
        return endpoint
    return move(
        endpoint,
        to=EndpointState.ACTIVE,
        at=at,
        by=by,
        failures=0,
        failing_since=None,
        disabled_reason="",
    )


@transaction.atomic
def remove_endpoint(*, endpoint: WebhookEndpoint, at: datetime.datetime, by: Principal) -> None:
    """Forget an endpoint with its secrets and deliveries; the audit trail remembers that it was."""
    audit.record(by=by, action="remove", row=endpoint, at=at, changes={"url": endpoint.url})
    endpoint.delete()
    transaction.on_commit(queries.forget_wishes)


@transaction.atomic
def rotate_secret(
    *, endpoint: WebhookEndpoint, at: datetime.datetime, by: Principal
) -> tuple[str, datetime.datetime]:
    """A new secret, and until when the old one signs beside it; older ones end at once."""
    # The lock keeps two rotations apart: each wants to be the one that lasts.
    WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
    until = at + OVERLAP
    WebhookSecret.objects.filter(endpoint=endpoint, expires_at__gt=at).update(expires_at=at)
    WebhookSecret.objects.filter(endpoint=endpoint, expires_at__isnull=True).update(
        expires_at=until
    )
    audit.record(by=by, action="rotate_secret", row=endpoint, at=at)
    return _new_secret(endpoint, at=at), until


def _new_secret(endpoint: WebhookEndpoint, *, at: datetime.datetime) -> str:
    salt = ids.secret()
    secret = rules.derive_secret(key=settings.SECRET_KEY, salt=salt)
    WebhookSecret.objects.create(
        endpoint=endpoint, salt=salt, fingerprint=rules.fingerprint(secret), created_at=at
    )
    return secret


def require_target(url: str) -> None:
    """Raise `UrlRefused` if nothing may be sent to this address."""
    try:
        courier.target_of(url, allow_private=settings.WEBHOOKS_ALLOW_PRIVATE)
    except courier.BadTarget as problem:
        raise UrlRefused(extra={"reason": str(problem)}) from problem


def _known(kinds: Sequence[str]) -> list[str]:
    unknown = sorted(set(kinds) - set(mapping.kinds()))
    if unknown:
        raise UnknownKind(kinds=", ".join(unknown))
    return sorted(set(kinds))
