"""The providers that move the money, by name."""

from functools import cache
from importlib import import_module
from typing import cast

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bookings.payments.providers.local.gateway import LocalProvider
from bookings.payments.providers.wire import Provider
from mobility.core.errors import Unavailable

LOCAL = "local"
STRIPE = "stripe"

_LOCAL_PROVIDER = LocalProvider()


class PaymentsNotSetUp(Unavailable):
    """No provider serves this installation; the local one serves demonstrations only."""

    code = "payments_not_set_up"
    message = _("Payments are not set up here yet.")


def provider_named(name: str) -> Provider:
    """The provider of that name; raises `PaymentsNotSetUp` where it does not serve.

    The local provider's cards always pay, so outside of demonstrations nobody may use them.
    """
    if name not in providers_serving():
        raise PaymentsNotSetUp
    return _LOCAL_PROVIDER if name == LOCAL else _stripe()


def providers_serving() -> tuple[str, ...]:
    """The names of the providers that this installation is set up for."""
    serving = {LOCAL: settings.DEMO_PAYMENTS, STRIPE: bool(settings.STRIPE_SECRET_KEY)}
    return tuple(name for name, serves in serving.items() if serves)


def provider_for_new_cards() -> str:
    """Who holds the cards that people put on file from now on."""
    return str(settings.PAYMENT_PROVIDER)


@cache
def _stripe() -> Provider:
    """Loaded when first needed: its library takes longer to load than all of ours."""
    gateway = import_module("bookings.payments.providers.stripe.gateway")
    return cast("Provider", gateway.StripeProvider())
