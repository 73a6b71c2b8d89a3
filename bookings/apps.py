"""The app of everything between a person and a vehicle or a charger: prices, money, trips."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BookingsConfig(AppConfig):
    """Attaches the event handlers once all models are loaded."""

    name = "bookings"
    label = "bookings"
    verbose_name = _("Bookings")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import what registers itself."""
        import_module("bookings.handlers")
        import_module("bookings.privacy")
        import_module("bookings.payments.providers.checks")
        import_module("bookings.payments.reconciliation.queries")
