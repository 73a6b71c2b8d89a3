"""The app `fleet`; handlers and figures attach when it is ready."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FleetConfig(AppConfig):
    """Vehicles, zones, telematics and the work on them."""

    name = "fleet"
    label = "fleet"
    verbose_name = _("Fleet")

    def ready(self) -> None:
        """Attach what listens; imported by name, because models must be loaded first."""
        import_module("fleet.handlers")
        import_module("fleet.incentives.queries")
        import_module("fleet.telematics.checks")
        import_module("fleet.telematics.figures")
        import_module("fleet.maintenance.timeline")
        import_module("fleet.maintenance.privacy")
        import_module("fleet.rebalancing.privacy")
