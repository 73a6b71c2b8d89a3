"""Register of the fleet app."""

from importlib import import_module

from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "fleet"
    label = "fleet"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("fleet.handlers")
