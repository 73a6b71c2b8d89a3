"""The providers that move the money, by name."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from bookings.payments.providers.local import LocalProvider
from bookings.payments.providers.wire import Provider
from mobility.core.errors import Unavailable

LOCAL = "local"

_PROVIDERS: Mapping[str, Provider] = {LOCAL: LocalProvider()}


class PaymentsNotSetUp(Unavailable):
    """No provider serves this installation; the local one serves demonstrations only."""

    code = "payments_not_set_up"
    message = _("Payments are not set up here yet.")


def provider_named(name: str) -> Provider:
    """The provider of that name; raises `PaymentsNotSetUp` where it does not serve.

    The local provider's cards always pay, so outside of demonstrations nobody may use them.
    """
    if name not in _PROVIDERS or (name == LOCAL and not settings.DEMO_PAYMENTS):
        raise PaymentsNotSetUp
    return _PROVIDERS[name]
