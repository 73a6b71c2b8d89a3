"""The line to Stripe: its client, and what its answers and its errors mean."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import stripe
import structlog
from django.conf import settings

from bookings.payments.providers.wire import Declined, ProviderUnavailable

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

CONNECT_S, READ_S = 3.0, 20.0
# Stripe's own library repeats a request whose answer was lost, under the same key.
REPEATS = 1


def client() -> stripe.StripeClient:
    """The client of the account behind `STRIPE_SECRET_KEY`."""
    return _client_for(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_URL)


@cache
def _client_for(secret_key: str, api_url: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": api_url},
        max_network_retries=REPEATS,
        http_client=stripe.RequestsClient(timeout=(CONNECT_S, READ_S)),
    )


def definite(deed: Callable[[], Answer]) -> Answer:
    """Stripe's answer; its errors become a refusal or the absence of an answer."""
    try:
        return deed()
    except stripe.CardError as problem:
        raise Declined(_reason(problem)) from problem
    except stripe.IdempotencyError as problem:
        # The first request under this key is still on its way.
        raise ProviderUnavailable from problem
    except stripe.InvalidRequestError as problem:
        log.warning("payments.stripe_refused", code=problem.code, param=problem.param)
        raise Declined(_reason(problem)) from problem
    except stripe.StripeError as problem:
        # No connection, too many requests, a fault at Stripe, or a key that is not accepted.
        log.warning("payments.stripe_silent", problem=type(problem).__name__)
        raise ProviderUnavailable from problem


def _reason(problem: stripe.StripeError) -> str:
    declined: Any = getattr(problem.error, "decline_code", None) if problem.error else None
    return str(declined or problem.code or "invalid_request")[:40]


def plain(thing: Any) -> dict[str, Any]:
    """A Stripe object as dictionaries all the way down."""
    return cast("dict[str, Any]", json.loads(str(thing)))
