"""Admin pages of tariffs: drafts are edited, published versions only read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from charging.stations.admin import OPERATORS
from charging.tariffs import services
from charging.tariffs.models import Tariff, TariffPlace, TariffVersion
from charging.tariffs.rules import (
    HOME_ZONE,
    BadComponent,
    check_limits,
    price_words,
    read_components,
)
from charging.tariffs.states import VersionState
from mobility.accounts.models import User
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline
from mobility.core import clock
from mobility.core.errors import DomainError


class TariffPlaceInline(ScopedInline):
    """Where a tariff applies."""

    model = TariffPlace
    editors = OPERATORS
    deletable = True


@admin.register(Tariff)
class TariffAdmin(ScopedAdmin[Tariff]):
    """An operator's tariffs."""

    editors = OPERATORS
    list_display = ("__str__", "code", "organisation", "currency", "is_default")
    list_select_related = ("organisation",)
    inlines = (TariffPlaceInline,)


class VersionForm(forms.ModelForm[TariffVersion]):
    """A draft; its components and limits must be readable before they are kept."""

    class Meta:
        model = TariffVersion
        fields = ("tariff", "number", "valid", "components", "min_cents", "max_cents")

    def clean_components(self) -> list[dict[str, object]]:
        """The list as the price rule reads it."""
        try:
            components = read_components(self.cleaned_data["components"])
        except (BadComponent, TypeError, AttributeError) as problem:
            raise ValidationError(str(problem)) from problem
        return [component.as_json() for component in components]

    def clean(self) -> dict[str, Any] | None:
        """The least price is not above the highest."""
        cleaned = super().clean() or self.cleaned_data
        try:
            check_limits(min_cents=cleaned.get("min_cents"), max_cents=cleaned.get("max_cents"))
        except BadComponent as problem:
            raise ValidationError(str(problem)) from problem
        return cleaned


@admin.register(TariffVersion)
class TariffVersionAdmin(ScopedAdmin[TariffVersion]):
    """Versions; publishing is an action, and the last one."""

    editors = OPERATORS
    form = VersionForm
    list_display = ("__str__", "state", "valid", "published_at")
    list_filter = ("state",)
    list_select_related = ("tariff",)
    readonly_fields = ("state", "published_at", "in_words")
    actions = ("publish",)

    @admin.display(description=_("in words"))
    def in_words(self, version: TariffVersion) -> str:
        """What a driver is told."""
        try:
            prices = version.prices(time_zone=HOME_ZONE)
        except BadComponent as problem:
            return str(problem)
        return " · ".join(price_words(prices, currency=version.tariff.currency))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only drafts change."""
        if isinstance(obj, TariffVersion) and obj.state != VersionState.DRAFT:
            return False
        return super().has_change_permission(request, obj)

    @admin.action(description=_("Publish the selected drafts"), permissions=["change"])
    def publish(self, request: HttpRequest, versions: QuerySet[TariffVersion]) -> None:
        """Make drafts the price from their dates on."""
        # The admin only opens for people with an account; this narrows the type.
        assert isinstance(request.user, User)
        for version in versions:
            try:
                services.publish_version(
                    version_id=version.pk,
                    at=clock.now(),
                    by=request.user.principal,
                )
            except DomainError as problem:
                self.message_user(request, f"{version}: {problem.detail}", messages.ERROR)
            else:
                self.message_user(request, _("%s is published.") % version, messages.SUCCESS)
