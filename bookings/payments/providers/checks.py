"""What `check --deploy` says about payments."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 - Django's name

from bookings.payments.providers import LOCAL, STRIPE, providers_serving


@register(Tags.security, deploy=True)
def payments_are_real(**_scope: Any) -> Sequence[CheckMessage]:
    """Production without a provider takes no money; with play money it gives rides away."""
    serving, found = providers_serving(), []
    if LOCAL in serving:
        found.append(
            Warning(
                "The demonstration provider accepts play money.",
                hint="Unset DEMO_PAYMENTS.",
                id="payments.W001",
            )
        )
    if settings.PAYMENT_PROVIDER not in serving:
        found.append(
            Warning(
                "No payment provider takes new cards, so nobody can pay.",
                hint="Set STRIPE_SECRET_KEY and PAYMENT_PROVIDER=stripe; see docs/payments.md.",
                id="payments.W002",
            )
        )
    if STRIPE in serving and not settings.STRIPE_WEBHOOK_SECRET:
        found.append(
            Warning(
                "Webhooks of Stripe are all refused.",
                hint="Set STRIPE_WEBHOOK_SECRET to the secret of the endpoint.",
                id="payments.W003",
            )
        )
    return found
