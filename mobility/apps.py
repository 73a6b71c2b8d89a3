"""The app `mobility`; handlers attach when it is ready."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MobilityConfig(AppConfig):
    """Core, people, geography and the city's public face."""

    name = "mobility"
    verbose_name = _("City and people")

    def ready(self) -> None:
        """Attach what registers itself; imported by name, because models must be loaded first."""
        import_module("mobility.core.database").refuse_numbers_too_large()
        import_module("mobility.core.checks")
        import_module("mobility.handlers")
        import_module("mobility.accounts.schema")
        import_module("mobility.notifications.privacy")
