"""The app `charging`; its event handlers attach when it is ready."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ChargingConfig(AppConfig):
    """Registers the features of the app."""

    name = "charging"
    verbose_name = pgettext_lazy("application", "Charging")

    def ready(self) -> None:
        """Attach the event handlers; imported by name, because models must be loaded first."""
        import_module("charging.handlers")
        import_module("charging.ocpp.speech")
        import_module("charging.tickets.privacy")
