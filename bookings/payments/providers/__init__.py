"""The providers that move the money, by name."""

from collections.abc import Mapping

from bookings.payments.providers.local import LocalProvider
from bookings.payments.providers.wire import Provider

LOCAL = "local"

_PROVIDERS: Mapping[str, Provider] = {LOCAL: LocalProvider()}


def provider_named(name: str) -> Provider:
    """The provider of that name; an unknown name is a mistake in the data and raises `KeyError`."""
    return _PROVIDERS[name]
