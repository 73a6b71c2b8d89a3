"""Admin pages of tariffs: drafts are edited, published versions only read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from charging.stations.admin import OPERATORS
from charging.tariffs import services, texts
from charging.tariffs.forms import ComponentsFormSet, VersionForm, components_of, filled
from charging.tariffs.models import Tariff, TariffPlace, TariffVersion
from charging.tariffs.rules import HOME_ZONE, BadComponent, price_words, read_prices
from charging.tariffs.states import VersionState
from mobility.accounts.scoped_admin import ScopedAdmin, ScopedInline, person_of
from mobility.accounts.told import range_words
from mobility.core import clock
from mobility.core.errors import DomainError


class TariffPlaceInline(ScopedInline):
    """Where a tariff applies."""

    model = TariffPlace
    editors = OPERATORS
    deletable = True
    autocomplete_fields = ("site", "connector")


@admin.register(Tariff)
class TariffAdmin(ScopedAdmin[Tariff]):
    """An operator's tariffs."""

    editors = OPERATORS
    list_display = ("__str__", "code", "organisation", "currency", "is_default")
    list_select_related = ("organisation",)
    inlines = (TariffPlaceInline,)


@admin.register(TariffVersion)
class TariffVersionAdmin(ScopedAdmin[TariffVersion]):
    """Versions: a page for drafts with what they come to; published ones are only read."""

    editors = OPERATORS
    change_form_template = "admin/charging/tariff_version.html"
    list_display = ("__str__", "state", "valid_from", "valid_until", "published_at")
    list_filter = ("state",)
    list_select_related = ("tariff",)
    fields = (
        "tariff", "number", "state", "validity", "in_words", "min_cents", "max_cents", "components",
        "published_at",
    )  # fmt: skip
    readonly_fields = ("state", "published_at", "validity", "in_words")
    actions = ("publish",)

    @admin.display(description=_("valid from"), ordering="valid")
    def valid_from(self, version: TariffVersion) -> datetime | None:
        """Its first instant."""
        return cast("datetime | None", version.valid.lower)

    @admin.display(description=_("valid until"))
    def valid_until(self, version: TariffVersion) -> datetime | None:
        """The first instant of what comes after it; none while it has no end."""
        return cast("datetime | None", version.valid.upper)

    @admin.display(description=_("validity"))
    def validity(self, version: TariffVersion) -> str:
        """Both in words."""
        return range_words(version.valid)

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

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A new draft."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._draft_page(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A draft's lines with what they come to; a published version as it is."""
        version = self.get_object(request, object_id)
        if version is not None and self.has_change_permission(request, version):
            return self._draft_page(request, version)
        shown = {"bills": texts.bills_of(version, at=clock.now())} if version else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def _draft_page(self, request: HttpRequest, version: TariffVersion | None) -> HttpResponse:
        """The form, and below it what it comes to: asked for, saved, or published."""
        data = request.POST if request.method == "POST" else None
        first: dict[str, Any] = {"tariff": request.GET.get("tariff")}
        told, lines_told = filled(version) if version else (first, [])
        form = VersionForm(data, initial=told, user=person_of(request))
        # A line that is sent as it was counts like any other: no initial values to compare with.
        lines = ComponentsFormSet(
            data, initial=lines_told if data is None else None, prefix="lines"
        )
        bills: list[texts.Bill] = []
        if data is None:
            bills = texts.bills_of(version, at=clock.now()) if version else []
        elif form.is_valid() and lines.is_valid():
            answer = self._drafted(request, version, form, components_of(lines))
            if isinstance(answer, HttpResponse):
                return answer
            bills = answer
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": version or _("New tariff version"),
            "version": version,
            "form": form,
            "lines": lines,
            "bills": bills,
        }
        return TemplateResponse(request, "admin/charging/tariff.html", context)

    def _drafted(
        self,
        request: HttpRequest,
        version: TariffVersion | None,
        form: VersionForm,
        components: list[dict[str, Any]],
    ) -> HttpResponse | list[texts.Bill]:
        """Do what the button says; without one that keeps anything, only count."""
        wish = dict(form.cleaned_data)
        tariff, at, by = wish.pop("tariff"), clock.now(), person_of(request).principal
        try:
            if not {"save", "publish"} & set(request.POST):
                limits = {name: wish[name] for name in ("min_cents", "max_cents")}
                prices = read_prices({"components": components, **limits})
                return texts.bills(prices, currency=tariff.currency, at=wish["valid_from"])
            what = {"components": components, "at": at, "by": by, **wish}
            if version is None:
                version = services.draft_version(tariff_id=tariff.pk, **what)
            else:
                services.change_draft(version_id=version.pk, **what)
            if "publish" in request.POST:
                services.publish_version(version_id=version.pk, at=at, by=by)
                self.message_user(request, _("%s is published.") % version, messages.SUCCESS)
            else:
                self.message_user(request, _("The draft is kept."), messages.SUCCESS)
        except DomainError as problem:
            form.add_error(None, problem.detail)
            return []
        return HttpResponseRedirect(
            reverse("admin:charging_tariffversion_change", args=[version.pk])
        )

    @admin.action(description=_("Publish the selected drafts"), permissions=["change"])
    def publish(self, request: HttpRequest, versions: QuerySet[TariffVersion]) -> None:
        """Make drafts the price from their dates on."""
        for version in versions:
            try:
                services.publish_version(
                    version_id=version.pk,
                    at=clock.now(),
                    by=person_of(request).principal,
                )
            except DomainError as problem:
                self.message_user(request, f"{version}: {problem.detail}", messages.ERROR)
            else:
                self.message_user(request, _("%s is published.") % version, messages.SUCCESS)
