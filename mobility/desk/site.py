"""The admin's site: Django's own, with a list of models that does not cost more than the page."""

import functools
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import get_language


class DeskSite(AdminSite):
    """The staff's side of the house."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The apps and their models that the person may open, by name, as Django lists them.

        Django looks for every name and address anew, and sorts names that are translated whenever
        two of them are compared: on every page that takes longer than a list of fifty rows.
        """
        language = get_language() or ""
        found: dict[str, Any] = {}
        for model, page in self._registry.items():
            label = model._meta.app_label
            if app_label not in {None, label} or not page.has_module_permission(request):
                continue
            may = page.get_model_perms(request)
            if not any(may.values()):
                continue
            entry: dict[str, Any] = {
                "model": model,
                "object_name": model._meta.object_name,
                "perms": may,
                "admin_url": None,
                "add_url": _address(model, "add", self.name) if may.get("add") else None,
                "name": _name(model, language),
            }
            if may.get("change") or may.get("view"):
                entry["view_only"] = not may.get("change")
                entry["admin_url"] = _address(model, "changelist", self.name)
            if label not in found:
                found[label] = {
                    "name": apps.get_app_config(label).verbose_name,
                    "app_label": label,
                    "app_url": reverse("admin:app_list", args=[label], current_app=self.name),
                    "has_module_perms": True,
                    "models": [],
                }
            found[label]["models"].append(entry)
        for app in found.values():
            app["models"].sort(key=lambda model: model["name"])
        return sorted(found.values(), key=lambda app: str(app["name"]).lower())


@functools.cache
def _address(model: Any, page: str, site: str) -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", current_app=site)


@functools.cache
def _name(model: Any, _language: str) -> str:
    """What rows of the model are called in the language that is active, which is `_language`."""
    return str(capfirst(model._meta.verbose_name_plural))
